import type { KeyClaim } from "../ca/certificate-record.ts";
import type { IssuedCertificate } from "../ca/issuance.ts";
import type { Check } from "./checks.ts";
import type { NoteStep } from "./enrolment-steps.ts";
import type { ScriptSecrets } from "./script-secrets.ts";
import type { Ways } from "./ways.ts";

export interface ScriptedWayDeps {
  readonly scriptSecrets: Pick<ScriptSecrets, "take">;
  readonly ways: Pick<Ways, "issue" | "check">;
  readonly noteStep: NoteStep;
}

/** What a script has made on the machine, and what is said of it. */
export interface ScriptRequest {
  readonly secret: string;
  /** In PEM. */
  readonly csr: string;
  readonly keyClaim: KeyClaim;
}

/** The certificate, and where it is to be shown. */
export interface ScriptedCertificate {
  readonly certificate: IssuedCertificate;
  readonly check: Check;
}

/**
 * Makes the certificate of a script's enrolment. The secret is spent with it, and good for another try where there is none.
 * Throws ScriptSpentError, and what `Ways.issue` does.
 */
export type CertifyScript = (request: ScriptRequest) => Promise<ScriptedCertificate>;

export function createCertifyScript(deps: ScriptedWayDeps): CertifyScript {
  const { noteStep, scriptSecrets, ways } = deps;
  return async ({ secret, csr, keyClaim }) => {
    const { way, giveBack } = await scriptSecrets.take(secret);
    const making = ways.issue(way, { csr, keyClaim });
    const certificate = await making.catch(async (error: unknown) => {
      await giveBack();
      throw error;
    });
    await noteStep(way, "script-run");
    return { certificate, check: await ways.check(way) };
  };
}
