import type { Random } from "../pki/crypto.ts";
import { spkiSha256 } from "../pki/key.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { newSerial, type Serial, serialBytes, shardOf } from "../pki/serial.ts";
import { validityOf } from "../pki/validity.ts";
import type { Sql } from "../storage/sql.ts";
import { buildCertificate } from "./certificate-builder.ts";
import { InvalidStateError, IssuingStoppedError, ProfileUnknownError } from "./errors.ts";
import type { IssueDeps } from "./issue-desk.ts";
import type { Issuer } from "./issuer.ts";
import { commitIssued, issuedEntry, readSigningRows } from "./signing-row.ts";

/** A certificate that Suido needs for itself. */
export interface OwnRequest {
  readonly profile: string;
  readonly issuerId: string;
  readonly commonName: string;
  readonly spki: Uint8Array;
  readonly dnsNames?: readonly string[];
}

export interface OwnDeps extends IssueDeps {
  readonly random: Random;
}

/** Reserves a serial as the app does for devices: the row is there before any signature. */
async function reserve(
  sql: Sql,
  request: OwnRequest,
  { issuer, profile, deps }: { issuer: Issuer; profile: Profile; deps: OwnDeps },
): Promise<Serial> {
  const { random, clock, timeZone, digest } = deps;
  const serial = newSerial(random);
  const now = clock();
  const { notBefore, notAfter } = validityOf(profile, {
    now,
    timeZone,
    issuerNotAfter: issuer.notAfter,
  });
  await sql.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, dns_names, spki, spki_sha256,
       not_before, not_after, key_origin, reserved_at)
     values ($1, $2, $3, $4, $5, 'reserved', $6, $7, $8, $9, $10, $11, 'subject', $12)`,
    [
      Buffer.from(serialBytes(serial)),
      issuer.id,
      profile.name,
      Buffer.from(profileHash(profile, digest), "hex"),
      shardOf(serial),
      request.commonName,
      request.dnsNames ?? null,
      Buffer.from(request.spki),
      Buffer.from(spkiSha256(request.spki, digest), "hex"),
      notBefore,
      notAfter,
      now,
    ],
  );
  return serial;
}

/** Issues a delegate's or a server's certificate, in the same order and under the same rules as a device's. */
export async function issueOwn(request: OwnRequest, deps: OwnDeps): Promise<Uint8Array> {
  const { keys, profiles, ledger, database, clock, newId, digest } = deps;
  const issuer = keys.get(request.issuerId);
  const profile = profiles.get(request.profile);
  if (issuer === undefined || issuer.state === "ended")
    throw new InvalidStateError(`there is no issuer ${request.issuerId} at work`);
  if (profile === undefined)
    throw new ProfileUnknownError(`there is no profile "${request.profile}"`);
  return ledger.turn(async () => {
    if (ledger.journal.issuedLastHour(profile.name) >= profile.ceilingPerHour) {
      throw new IssuingStoppedError(
        `${profile.ceilingPerHour} certificates of the profile "${profile.name}" within an hour is the most that is issued`,
      );
    }
    const serial = await reserve(database, request, { issuer, profile, deps });
    const row = (await readSigningRows(database, [serial])).get(serial);
    if (row === undefined) throw new InvalidStateError("the reserved row is gone");
    const built = buildCertificate(row, { issuer, profile, now: clock() }, deps);
    if ("findings" in built) {
      await database.query(
        "update ca.issued set state = 'refused', findings = $2 where serial = $1",
        [row.serial, built.findings],
      );
      throw new InvalidStateError(`the certificate is refused: ${built.findings.join("; ")}`);
    }
    const der = built.approved.signWith(keys.signWith(issuer.id));
    const entry = issuedEntry(row, der);
    const at = clock();
    await ledger.write([entry], (sql) =>
      commitIssued(sql, [{ ...entry, at }], { sha256: (bytes) => digest("sha256", bytes), newId }),
    );
    return der;
  });
}
