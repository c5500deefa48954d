import { readFile } from "node:fs/promises";

import type { CertificateFiles } from "../config/environment.ts";
import { type AppleProfiles, createAppleProfiles } from "../lifecycle/apple-profile.ts";
import { readProfileSigner, UnusableProfileSignerError } from "../lifecycle/profile-signer.ts";
import type { Clock } from "../pki/clock.ts";
import type { CmsSigner } from "../pki/cms.ts";
import { CommandError } from "./command.ts";
import type { Opening } from "./opening.ts";

/** Throws UnusableProfileSignerError. */
async function read({ certFile, keyFile }: CertificateFiles, clock: Clock): Promise<CmsSigner> {
  const [certificate, key] = await Promise.all(
    [certFile, keyFile].map((file) =>
      readFile(file, "utf8").catch((cause: unknown) => {
        throw new UnusableProfileSignerError(`${file} cannot be read`, { cause });
      }),
    ),
  );
  return readProfileSigner({ certificate: certificate ?? "", key: key ?? "" }, clock());
}

/**
 * The profiles of Apple's devices, and who signs them. Throws CommandError where the site's certificate cannot; later, when
 * its files have been replaced by others that cannot, profiles go out unsigned: whoever waits for one is not to blame.
 */
export async function openAppleProfiles(
  opening: Pick<Opening, "config" | "log" | "site" | "system">,
): Promise<AppleProfiles> {
  const { config, log, system } = opening;
  const files = config.profileCertificate;
  if (files === undefined) {
    if (config.mode === "production")
      log.warn(
        "SUIDO_PROFILE_CERT is not set: iPhone, iPad and Mac will call every profile unsigned",
      );
  } else {
    try {
      await read(files, system.clock);
    } catch (error) {
      if (!(error instanceof UnusableProfileSignerError)) throw error;
      const settings = "SUIDO_PROFILE_CERT and SUIDO_PROFILE_KEY";
      throw new CommandError(`${settings} cannot sign profiles: ${error.message}`, {
        cause: error,
      });
    }
  }
  return createAppleProfiles({
    ...system,
    trustDomain: config.trustDomain,
    siteName: opening.site.name,
    timeZone: config.timeZone,
    async signer() {
      if (files === undefined) return undefined;
      try {
        return await read(files, system.clock);
      } catch (error) {
        log.warn({ err: error }, "profiles go out unsigned");
        return undefined;
      }
    },
  });
}
