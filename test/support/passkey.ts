import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** What an authenticator says of itself (Web Authentication §6.1): the person is there, and was verified. */
const FLAG = { present: 1, verified: 4, attested: 64 } as const;

interface Asked {
  readonly challenge: string;
  readonly rpId: string;
  readonly origin: string;
}

/** What a test makes of an answer that is not to be taken. */
interface Faults {
  readonly isUnverified?: boolean;
  readonly signCount?: number;
}

/** CBOR (RFC 8949 §3) of the few things that an attestation is made of. */
function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  return length < 256
    ? Buffer.from([(major << 5) | 24, length])
    : Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}
const octets = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const text = (value: string): Buffer => Buffer.concat([head(3, value.length), Buffer.from(value)]);
const integer = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value));

/** An authenticator with one passkey on P-256, in software. */
export class SoftPasskey {
  readonly id = randomBytes(16);
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #count = 0;

  #authData({ rpId }: Asked, { isUnverified = false, signCount }: Faults, more: Buffer): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(signCount ?? (this.#count += 1));
    const flags =
      FLAG.present | (isUnverified ? 0 : FLAG.verified) | (more.length > 0 ? FLAG.attested : 0);
    const rpIdHash = createHash("sha256").update(rpId).digest();
    return Buffer.concat([rpIdHash, Buffer.from([flags]), counter, more]);
  }

  #clientData(type: string, { challenge, origin }: Asked): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  #answer(response: Readonly<Record<string, string>>): object {
    const id = this.id.toString("base64url");
    return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response };
  }

  /** The answer to being made (Web Authentication §7.1). */
  create(asked: Asked, faults: Faults = {}): object {
    const { x = "", y = "" } = this.#keys.publicKey.export({ format: "jwk" });
    const part = (value: string): Buffer => octets(Buffer.from(value, "base64url"));
    // RFC 9053 §7.1.1: kty EC2, alg ES256, crv P-256.
    const pairs: readonly (readonly [number, Buffer])[] = [
      [1, integer(2)],
      [3, integer(-7)],
      [-1, integer(1)],
      [-2, part(x)],
      [-3, part(y)],
    ];
    const key = Buffer.concat([
      head(5, 5),
      ...pairs.flatMap(([name, value]) => [integer(name), value]),
    ]);
    const length = Buffer.from([0, this.id.length]);
    const authData = this.#authData(
      asked,
      faults,
      Buffer.concat([Buffer.alloc(16), length, this.id, key]),
    );
    const members = [text("fmt"), text("none"), text("attStmt"), head(5, 0), text("authData")];
    const attestation = Buffer.concat([head(5, 3), ...members, octets(authData)]);
    return this.#answer({
      clientDataJSON: this.#clientData("webauthn.create", asked).toString("base64url"),
      attestationObject: attestation.toString("base64url"),
    });
  }

  /** The answer to being used (Web Authentication §7.2). */
  use(asked: Asked, faults: Faults = {}): object {
    const authData = this.#authData(asked, faults, Buffer.alloc(0));
    const clientData = this.#clientData("webauthn.get", asked);
    const signed = Buffer.concat([authData, createHash("sha256").update(clientData).digest()]);
    return this.#answer({
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authData.toString("base64url"),
      signature: sign("sha256", signed, this.#keys.privateKey).toString("base64url"),
    });
  }
}
