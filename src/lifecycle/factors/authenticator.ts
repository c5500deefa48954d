/** 160 bits, as long as the hash that all authenticator apps use (RFC 4226 §4, R6). */
export const SECRET_OCTETS = 20;

/** What every app takes for granted (RFC 6238 §4), whatever the address of a key may say. */
const SHAPE = { algorithm: "SHA1", digits: 6, period: 30 } as const;

/** A clock that is half a minute off is no reason to fail at night (RFC 6238 §5.2). */
const STEPS_ASIDE = 1;

const CODE = /^\d{6}$/;

/** Loaded when somebody first uses it: most processes never do. */
async function load(secret: Uint8Array) {
  const { Secret, TOTP } = await import("otpauth");
  return { TOTP, key: new Secret({ buffer: Uint8Array.from(secret).buffer }) };
}

/** A new secret as an app takes it over: by its address, as a link or a picture, or typed. */
export interface AuthenticatorKey {
  /** `otpauth://totp/…`. */
  readonly uri: string;
  /** In Base32, in groups of four. */
  readonly text: string;
}

/** How an app is told a secret; `issuer` and `label` are what it shows beside the code. */
export async function authenticatorKey(
  secret: Uint8Array,
  { issuer, label }: { readonly issuer: string; readonly label: string },
): Promise<AuthenticatorKey> {
  const { TOTP, key } = await load(secret);
  const uri = new TOTP({ ...SHAPE, issuer, label, secret: key }).toString();
  return { uri, text: key.base32.replaceAll(/.{4}(?=.)/g, "$& ") };
}

/**
 * Which of the secret's time steps (RFC 6238 §4.2) a code is of, now or one aside, in the same time whatever is wrong with
 * it; undefined for one that is of none. Japanese keyboards write full-width digits, and it is read in two groups.
 */
export async function stepOfCode(
  secret: Uint8Array,
  text: string,
  at: Date,
): Promise<number | undefined> {
  const token = text.normalize("NFKC").replaceAll(/[\s\p{Pd}ー]/gu, "");
  if (!CODE.test(token)) return undefined;
  const { TOTP, key } = await load(secret);
  const timestamp = at.getTime();
  const delta = TOTP.validate({ ...SHAPE, token, secret: key, timestamp, window: STEPS_ASIDE });
  return delta === null ? undefined : TOTP.counter({ period: SHAPE.period, timestamp }) + delta;
}
