import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";

import { utf8Bytes } from "../../pki/bytes.ts";

/** Whose passkeys they are: the host of the app's address, at its origin (Web Authentication §5.1.2). */
export interface RelyingSite {
  readonly name: string;
  /** The app's own address. */
  readonly url: string;
}

/** A passkey as it is kept (Web Authentication §4, credential record). */
export interface Passkey {
  readonly credentialId: string;
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  readonly transports: readonly string[];
}

/** What a browser is asked with, and what its answer has to be about. */
export interface Challenged<Options> {
  readonly options: Options;
  readonly challenge: string;
}

/** ECDSA on P-256, Ed25519 and RSASSA-PKCS1-v1_5, by which all authenticators sign (RFC 9053). */
const ALGORITHMS = [-7, -8, -257];

/** Loaded when somebody first uses it: it brings the formats of all attestations with it. */
const load = () => import("@simplewebauthn/server");

const expectedAt = ({ url }: RelyingSite) => ({
  expectedOrigin: new URL(url).origin,
  expectedRPID: new URL(url).hostname,
  requireUserVerification: true,
});

const descriptors = (passkeys: readonly Pick<Passkey, "credentialId" | "transports">[]) =>
  passkeys.map(({ credentialId: id, transports }) => ({ id, transports: [...transports] }));

/** How a browser is asked to make a passkey. Those that are there already are not made twice. */
export async function creationChallenge(
  site: RelyingSite,
  person: { readonly accountId: string; readonly name: string },
  existing: readonly Passkey[],
): Promise<Challenged<PublicKeyCredentialCreationOptionsJSON>> {
  const { generateRegistrationOptions } = await load();
  const options = await generateRegistrationOptions({
    rpName: site.name,
    rpID: new URL(site.url).hostname,
    userID: Uint8Array.from(utf8Bytes(person.accountId)),
    userName: person.name,
    userDisplayName: person.name,
    attestationType: "none",
    excludeCredentials: descriptors(existing),
    authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
  return { options, challenge: options.challenge };
}

/** The passkey that was made; undefined where the answer is not one to this challenge, of this site, by a verified person. */
export async function createdPasskey(
  answer: unknown,
  expectedChallenge: string,
  site: RelyingSite,
): Promise<Passkey | undefined> {
  const { verifyRegistrationResponse } = await load();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      ...expectedAt(site),
      response: answer as RegistrationResponseJSON,
      expectedChallenge,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (registrationInfo === undefined) return undefined;
    const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
    return { credentialId: id, publicKey, signCount: counter, transports };
  } catch {
    // It throws for whatever is wrong with what a browser, or somebody else, has sent.
    return undefined;
  }
}

/** How a browser is asked to use one of these passkeys. */
export async function useChallenge(
  site: RelyingSite,
  passkeys: readonly Pick<Passkey, "credentialId" | "transports">[],
): Promise<Challenged<PublicKeyCredentialRequestOptionsJSON>> {
  const { generateAuthenticationOptions } = await load();
  const options = await generateAuthenticationOptions({
    rpID: new URL(site.url).hostname,
    allowCredentials: descriptors(passkeys),
    userVerification: "required",
  });
  return { options, challenge: options.challenge };
}

/** Which credential an answer says that it is of. */
export function credentialIdOf(answer: unknown): string | undefined {
  const id: unknown = (answer as { readonly id?: unknown } | null)?.id;
  return typeof id === "string" ? id : undefined;
}

/**
 * The passkey's new signature counter; undefined where the answer is none to this challenge, or its counter has not gone up,
 * which is what a copied passkey shows (Web Authentication §6.1.1).
 */
export async function usedPasskey(
  answer: unknown,
  { challenge, passkey }: { readonly challenge: string; readonly passkey: Passkey },
  site: RelyingSite,
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await load();
  const { credentialId: id, publicKey, signCount: counter } = passkey;
  try {
    const { authenticationInfo, verified } = await verifyAuthenticationResponse({
      ...expectedAt(site),
      response: answer as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      credential: { id, publicKey: Uint8Array.from(publicKey), counter },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  } catch {
    return undefined;
  }
}
