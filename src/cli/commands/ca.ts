import { existsSync } from "node:fs";

import type { Acknowledgement } from "../../ca/issuer-acknowledgement.ts";
import { type CaDescription, describeCa } from "../../ca/description.ts";
import { openFileKeyStore, rotateKek } from "../../ca/file-key-store.ts";
import { makeKek, readKeks } from "../../ca/kek.ts";
import { adoptJournal } from "../../ca/quarantine.ts";
import { type Command, CommandError, show, type Surroundings } from "../command.ts";
import { givenWitnesses } from "../given.ts";
import { type Reached, reachDatabase } from "../reach.ts";
import { withSigner } from "../signing.ts";

function describe(
  { config, open }: Reached,
  { system }: Surroundings,
): Promise<readonly CaDescription[]> {
  const keyStore = openFileKeyStore({
    folder: config.keyStoreDir,
    keks: readKeks(config.kekFile),
    random: system.random,
  });
  return describeCa({ database: open("suido_signer"), keyStore, digest: system.digest });
}

/** Who has an announced CA, and who lacks it. */
function acknowledgementLines(all: readonly Acknowledgement[] | undefined): string[] {
  if (all === undefined) return [];
  if (all.length === 0) return ["  no relying party is registered that could acknowledge it"];
  return all.map(({ name, at }) =>
    at === undefined ? `  ${name} lacks it` : `  ${name} has it since ${at.toISOString()}`,
  );
}

function linesOf(ca: CaDescription): string[] {
  const { list } = ca;
  const state = `${ca.state} since ${ca.stateSince.toISOString()}${ca.isRevoked ? ", REVOKED" : ""}`;
  return [
    `${ca.id}  ${ca.kind}, ${state}, until ${ca.notAfter.toISOString()}`,
    `  sha256 ${ca.fingerprint.replaceAll(/(..)(?=.)/g, "$1:")}`,
    `  key ${ca.keyAlgorithm}, ${ca.hasKey ? "in this key store" : "not in this key store"}`,
    `  writes ${ca.vaUrl}`,
    list === undefined
      ? "  no list yet"
      : `  list ${list.number}, ${list.entries} entries, ${list.thisUpdate.toISOString()} to ${list.nextUpdate.toISOString()}`,
    ...acknowledgementLines(ca.acknowledgements),
  ];
}

const showCa: Command = {
  words: ["ca", "show"],
  summary: "show the CAs: states, fingerprints, keys, dates, lists, who has a new one",
  run: async (given, surroundings) => {
    const described = await reachDatabase(surroundings, (reached) =>
      describe(reached, surroundings),
    );
    const json = described.map(({ certificate, ...ca }) => ({
      ...ca,
      certificate: Buffer.from(certificate).toString("base64"),
    }));
    show(given, surroundings, {
      json: { issuers: json },
      lines:
        described.length === 0 ? ["there is no CA yet: suido ca init"] : described.flatMap(linesOf),
    });
    return 0;
  },
};

const init: Command = {
  words: ["ca", "init"],
  summary: "hold the ceremony: root, issuing CA, their first lists",
  run: async (given, surroundings) => {
    const { system } = surroundings;
    const described = await reachDatabase(
      surroundings,
      async (reached) => {
        await withSigner(reached, { system, mayMakeCa: true }, async () => undefined);
        return describe(reached, surroundings);
      },
      { prepare: true },
    );
    show(given, surroundings, {
      json: { issuers: described.map(({ id, fingerprint }) => ({ id, fingerprint })) },
      lines: described.flatMap(linesOf),
    });
    return 0;
  },
};

const rewrap: Command = {
  words: ["ca", "rewrap"],
  summary: "seal every key anew under a fresh key-encryption key",
  run: async (given, surroundings) => {
    const id = await reachDatabase(surroundings, async ({ config, serving }) => {
      if (serving) throw new CommandError("the service is running: stop it first");
      return rotateKek({
        folder: config.keyStoreDir,
        kekFile: config.kekFile,
        random: surroundings.system.random,
      }).id;
    });
    show(given, surroundings, {
      json: { kek: id },
      lines: [
        `all keys are sealed under the key-encryption key ${id}; keep a copy of it away from them, and destroy the old one`,
      ],
    });
    return 0;
  },
};

const makeKekFile: Command = {
  words: ["ca", "make-kek"],
  positionals: ["file"],
  summary: "make a key-encryption key for SUIDO_KEK_FILE",
  run: async (given, surroundings) => {
    const [file = ""] = given.positionals;
    if (existsSync(file)) throw new CommandError(`${file} is there already`);
    const { id } = makeKek(file, surroundings.system.random);
    show(given, surroundings, {
      json: { file, kek: id },
      lines: [`${file} holds the key-encryption key ${id}, for its owner only`],
    });
    return 0;
  },
};

const adopt: Command = {
  words: ["journal", "adopt"],
  options: {
    by: { type: "string", value: "NAME,NAME", help: "the two people who have decided it" },
  },
  summary: "begin a new journal where the old one is lost or behind (two people)",
  run: async (given, surroundings) => {
    const by = givenWitnesses(given);
    const { system } = surroundings;
    const journalId = await reachDatabase(surroundings, async ({ config, open, serving }) => {
      if (serving) throw new CommandError("the service is running: stop it first");
      return adoptJournal(by, {
        ...system,
        database: open("suido_signer"),
        journalFolder: config.journalDir,
        onFatal: (error) => {
          throw error;
        },
      });
    });
    show(given, surroundings, {
      json: { journalId },
      lines: [`journal ${journalId} begins; it names the head of the old one`],
    });
    return 0;
  },
};

export const caCommands: readonly Command[] = [showCa, init, rewrap, makeKekFile, adopt];
