import os from "node:os";

import { issuersHash } from "../ca/root-request.ts";
import { checkTogether } from "../ca/root-shares.ts";
import type { RootResponse } from "../ca/root-response.ts";
import { openSession, type RootSession, signSession, type ToBeSigned } from "../ca/root-signing.ts";
import { Transcript } from "../ca/root-transcript.ts";
import {
  openSealedRoot,
  readSealedRoot,
  readShareFiles,
  type SealedRoot,
} from "../ca/sealed-root.ts";
import type { CaConfig } from "../config/ca-config.ts";
import { CommandError, type Surroundings } from "./command.ts";
import { sourceHash } from "./source-hash.ts";
import { version } from "./version.ts";

/** So many digits of a hash are typed by whoever has read what it stands for. */
const TYPED_DIGITS = 8;

interface SessionPlace {
  /** Of the sealed root. */
  readonly folder: string;
  readonly caConfig: CaConfig;
}

/** What a session shows, for programs. */
interface Shown {
  readonly requestHash: string;
  readonly items: readonly {
    readonly what: string;
    readonly sha256: string;
    readonly lines: readonly string[];
  }[];
}

function open(
  content: string,
  sealed: SealedRoot,
  { place, system }: { readonly place: SessionPlace; readonly system: Surroundings["system"] },
): RootSession {
  const { rootId: id, certificate, vaUrl } = sealed;
  return openSession(content, { id, certificate, vaUrl }, { ...system, caConfig: place.caConfig });
}

const inGroups = (hex: string): string => hex.match(/.{8}/g)?.join(" ") ?? hex;

function tellItem({ title, lines, sha256 }: ToBeSigned, complain: Surroundings["complain"]): void {
  for (const line of ["", `TO BE SIGNED: ${title}`, ...lines.map((each) => `  ${each}`)])
    complain(line);
  complain(`  SHA-256    ${inGroups(sha256)}`);
}

function tellRequest(
  { lines, requestHash }: RootSession,
  complain: Surroundings["complain"],
): void {
  for (const line of lines) complain(line);
  complain(`this file  SHA-256 ${requestHash}`);
}

/** Shows all that a request asks for, and signs nothing. Throws KeyStoreError and CeremonyError. */
export function showRootSession(
  content: string,
  place: SessionPlace,
  { system, complain }: Surroundings,
): Shown {
  const session = open(content, readSealedRoot(place.folder), { place, system });
  tellRequest(session, complain);
  for (const item of session.items) tellItem(item, complain);
  const { requestHash } = session;
  return {
    requestHash,
    items: session.items.map(({ what, sha256, lines }) => ({ what, sha256, lines })),
  };
}

/** What the machine is, for whoever reads the transcript later. */
function machineFacts(): string {
  const { node, openssl } = process.versions;
  const facts = [os.type(), os.release(), os.arch(), `host ${os.hostname()}`];
  return `${facts.join(" ")}, up ${Math.round(os.uptime())} s; Node ${node}, OpenSSL ${openssl}, whose randomness is seeded by the kernel`;
}

/** Has one thing read and confirmed. Throws CommandError where that does not happen: nothing is signed then. */
async function confirm(
  item: ToBeSigned,
  transcript: Transcript,
  { ask, complain }: Surroundings,
): Promise<void> {
  tellItem(item, complain);
  transcript.add(`shown ${item.title}: to be signed ${item.sha256}`);
  const wanted = item.sha256.slice(0, TYPED_DIGITS);
  const typed = await ask(
    `When both have read it, one aloud: type the first ${TYPED_DIGITS} digits of the hash: `,
  );
  if (typed?.trim().toLowerCase() !== wanted)
    throw new CommandError(`${item.title} was not confirmed: nothing is signed`);
  transcript.add(`confirmed ${item.title} by ${wanted}`);
}

/**
 * The root session: shows, has each thing confirmed, opens the key with the shares, signs, and writes down what happened.
 * The key is there after everything was confirmed only. Throws KeyStoreError, CeremonyError and CommandError, with nothing
 * signed that would leave.
 */
export async function holdRootSession(
  content: string,
  place: SessionPlace & { readonly by: readonly string[]; readonly shares: readonly string[] },
  surroundings: Surroundings,
): Promise<{ readonly response: RootResponse; readonly hash: string }> {
  const { system, complain } = surroundings;
  const { folder, by, caConfig } = place;
  const sealed = readSealedRoot(folder);
  const shares = readShareFiles(place.shares);
  checkTogether(shares, sealed);
  if (shares.length < sealed.threshold)
    throw new CommandError(
      `${sealed.threshold} shares open this root, and here are ${shares.length}`,
    );
  const session = open(content, sealed, { place, system });
  const { request } = session.context;
  const transcript = new Transcript(system.clock);
  transcript.add(`root session with suido ${version}, sources SHA-256 ${sourceHash()}`);
  transcript.add(`machine: ${machineFacts()}`);
  transcript.add(`present: ${by.join(" and ")}`);
  transcript.add(`root ${sealed.rootId} ${sealed.rootFingerprint}, sealing ${sealed.ceremonyId}`);
  transcript.add(
    `request ${request.id} of ${request.at.toISOString()}, SHA-256 ${session.requestHash}; all known CAs ${issuersHash(request)}`,
  );
  tellRequest(session, complain);
  for (const item of session.items) await confirm(item, transcript, surroundings);
  const indexes = shares.map(({ share }) => share.index).toSorted((a, b) => a - b);
  const key = await openSealedRoot(folder, shares);
  transcript.add(`the key was opened with the shares ${indexes.join(", ")} of ${sealed.total}`);
  const response = signSession(session, { key, by, transcript }, { ...system, caConfig });
  return { response, hash: transcript.hash };
}
