import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { openFileKeyStore } from "../../ca/file-key-store.ts";
import { readKeks } from "../../ca/kek.ts";
import { issuersHash, textHash } from "../../ca/root-request.ts";
import { makeRequest } from "../../ca/root-request-making.ts";
import { writeResponse } from "../../ca/root-response.ts";
import { loadCaConfig } from "../../config/ca-config.ts";
import { utf8Bytes } from "../../pki/bytes.ts";
import { replaceFileSync } from "../../storage/durable-file.ts";
import { makePendingDelegate } from "../../va/delegate-file.ts";
import {
  type Command,
  CommandError,
  type Given,
  show,
  textOption,
  textOptions,
  UsageError,
} from "../command.ts";
import { CA_CONFIG } from "../foundation.ts";
import { givenReason, givenWitnesses } from "../given.ts";
import { operatorAtTheMachine } from "../operator.ts";
import { reachDatabase } from "../reach.ts";
import { importResponse } from "../root-import.ts";
import { holdRootSession, showRootSession } from "../root-signing.ts";

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError(`${file} cannot be read`, { cause });
  }
}

/** A file that is not there yet. */
function newFile(file: string): string {
  if (existsSync(file)) throw new CommandError(`${file} is there already: name a new file`);
  return path.resolve(file);
}

const request: Command = {
  words: ["ca", "request"],
  positionals: ["file"],
  options: {
    "new-issuing": { type: "boolean", help: "ask for a new issuing CA of the next generation" },
    revoke: {
      type: "string",
      multiple: true,
      value: "ID",
      help: "ask for an issuing CA's revocation",
    },
    reason: { type: "string", value: "REASON", help: "why, by its RFC 5280 name" },
    replace: { type: "boolean", help: "withdraw the request that is open" },
  },
  summary: "write what the next root session must sign",
  run: async (given, surroundings) => {
    const file = newFile(given.positionals[0] ?? "");
    const { system } = surroundings;
    const wishes = {
      revoke: textOptions(given, "revoke") ?? [],
      reason: givenReason(given),
      newIssuing: given.options["new-issuing"] === true,
      replace: given.options["replace"] === true,
    };
    const made = await reachDatabase(surroundings, ({ config, open }) =>
      makeRequest(wishes, {
        ...system,
        database: open("suido_signer"),
        keyStore: openFileKeyStore({
          folder: config.keyStoreDir,
          keks: readKeks(config.kekFile),
          random: system.random,
        }),
        caConfig: loadCaConfig(CA_CONFIG),
        timeZone: config.timeZone,
        actor: operatorAtTheMachine().actor,
        makeDelegateKey: (requestId, issuerId) =>
          makePendingDelegate(
            path.join(config.dataDir, "va"),
            { requestId, issuerId },
            system.random,
          ),
      }),
    );
    replaceFileSync(file, utf8Bytes(made.content));
    const { id, issuing, revocations } = made.request;
    const sha256 = textHash(made.content);
    const known = issuersHash(made.request);
    show(given, surroundings, {
      json: { file, request: id, sha256, issuers: known, issuing: issuing?.id, revocations },
      lines: [
        `${file} asks the root for its list, for its OCSP delegate${issuing === undefined ? "" : `, for ${issuing.id}`}`,
        ...revocations.map(({ issuerId }) => `and for the revocation of ${issuerId}`),
        `request ${id}, SHA-256 ${sha256}`,
        `all our CAs, SHA-256 ${known}`,
        "Note both hashes on paper, and take the file to the root session: suido ca sign",
      ],
    });
    return 0;
  },
};

function needed(given: Given, name: string): string {
  const value = textOption(given, name);
  if (value === undefined) throw new UsageError(`--${name} is needed`);
  return value;
}

const sign: Command = {
  words: ["ca", "sign"],
  positionals: ["file"],
  options: {
    root: { type: "string", value: "FOLDER", help: "the folder of the sealed root" },
    share: { type: "string", multiple: true, value: "FILE", help: "a share; as many as it takes" },
    by: { type: "string", value: "NAME,NAME", help: "the two people who read it" },
    out: { type: "string", value: "FILE", help: "where what was signed goes" },
    "dry-run": { type: "boolean", help: "show everything, and sign nothing" },
  },
  summary: "hold the root session, on a machine without database and network",
  run: async (given, surroundings) => {
    const content = readText(given.positionals[0] ?? "");
    const folder = needed(given, "root");
    const caConfig = loadCaConfig(CA_CONFIG);
    if (given.options["dry-run"] === true) {
      const session = showRootSession(content, { folder, caConfig }, surroundings);
      show(given, surroundings, {
        json: { ...session, signed: false },
        lines: ["nothing was signed"],
      });
      return 0;
    }
    const out = newFile(needed(given, "out"));
    const page = newFile(`${out}.transcript.txt`);
    const { response, hash } = await holdRootSession(
      content,
      { folder, caConfig, by: givenWitnesses(given), shares: textOptions(given, "share") ?? [] },
      surroundings,
    );
    const text = writeResponse(response);
    replaceFileSync(page, utf8Bytes(response.transcript));
    replaceFileSync(out, utf8Bytes(text));
    show(given, surroundings, {
      json: { file: out, transcript: page, sha256: textHash(text), transcriptHash: hash },
      lines: [
        `${out}, SHA-256 ${textHash(text)}`,
        `${page}: print it and sign it by hand. Its last hash is ${hash}`,
        "Take the file to the online machine: suido ca import",
      ],
    });
    return 0;
  },
};

const importing: Command = {
  words: ["ca", "import"],
  positionals: ["file"],
  summary: "check what a root session has signed, and put it in force",
  run: async (given, surroundings) => {
    const content = readText(given.positionals[0] ?? "");
    const imported = await reachDatabase(surroundings, (reached) =>
      importResponse(content, reached, surroundings),
    );
    const { requestId, listNumber, issuing, delegate } = imported;
    show(given, surroundings, {
      json: imported,
      lines: [
        `request ${requestId} is answered: list ${listNumber} is in force`,
        delegate === "taken"
          ? "the VA of this machine answers with the new delegate within seconds"
          : "the new delegate's key is not in this machine's VA folder: import it where the request was made",
        ...(issuing === undefined ? [] : [`${issuing} is announced`]),
      ],
    });
    return 0;
  },
};

export const rootSessionCommands: readonly Command[] = [request, sign, importing];
