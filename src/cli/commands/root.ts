import path from "node:path";

import { readKeks } from "../../ca/kek.ts";
import { sealRootKey } from "../../ca/root-seal.ts";
import { checkTogether } from "../../ca/root-shares.ts";
import { readShareFiles } from "../../ca/sealed-root.ts";
import {
  type Command,
  CommandError,
  show,
  textOption,
  type Given,
  UsageError,
} from "../command.ts";
import { operatorAtTheMachine } from "../operator.ts";
import { reachDatabase } from "../reach.ts";

/** How many shares the root's key is sealed in, and how many open it, unless somebody decides otherwise. */
const SHARES = 5;
const THRESHOLD = 3;

function numberOption(given: Given, name: string, usual: number): number {
  const text = textOption(given, name);
  if (text === undefined) return usual;
  if (!/^\d{1,2}$/.test(text)) throw new UsageError(`--${name} takes a number`);
  return Number(text);
}

const seal: Command = {
  words: ["ca", "root", "seal"],
  positionals: ["folder"],
  options: {
    shares: { type: "string", value: "N", help: `into how many shares (${SHARES})` },
    threshold: { type: "string", value: "N", help: `how many of them open it (${THRESHOLD})` },
  },
  summary: "move the root key out of the online store into a folder, sealed, in shares",
  run: async (given, surroundings) => {
    const folder = path.resolve(given.positionals[0] ?? "");
    const total = numberOption(given, "shares", SHARES);
    const threshold = numberOption(given, "threshold", THRESHOLD);
    const sealed = await reachDatabase(surroundings, (reached) => {
      if (reached.serving) throw new CommandError("the service is running: stop it first");
      const { config, open } = reached;
      return sealRootKey({
        ...surroundings.system,
        database: open("suido_signer"),
        store: { folder: config.keyStoreDir, keks: readKeks(config.kekFile) },
        folder,
        threshold,
        total,
        actor: operatorAtTheMachine().actor,
      });
    });
    show(given, surroundings, {
      json: { ...sealed, folder, threshold },
      lines: [
        `${sealed.rootId} is sealed in ${folder}, was opened there with every share, and is gone from this key store.`,
        `Any ${threshold} of ${total} shares open it. Print each share-N.txt, or take it on a medium, to a person of its own;`,
        "then delete the shares from the folder. What remains in it, seal.json and the sealed key, is kept with copies,",
        "away from this machine and from the shares.",
      ],
    });
    return 0;
  },
};

const check: Command = {
  words: ["ca", "root", "check"],
  positionals: ["share"],
  isOpenEnded: true,
  summary: "check shares of the root key, each by itself; nothing is put together",
  run: async (given, surroundings) => {
    const shares = readShareFiles(given.positionals);
    const [first] = shares;
    if (first !== undefined) checkTogether(shares, first.share);
    for (const { share } of shares) share.share.fill(0);
    const told = shares.map(({ name: file, share }) => {
      const { index, threshold, total, ceremonyId, rootFingerprint, commitment } = share;
      return { file, index, threshold, total, ceremonyId, rootFingerprint, commitment };
    });
    show(given, surroundings, {
      json: { shares: told },
      lines: told.map(
        ({ file, index, total, ceremonyId, rootFingerprint }) =>
          `${file} is whole: share ${index} of ${total}, sealing ${ceremonyId}, root SHA-256 ${rootFingerprint}`,
      ),
    });
    return 0;
  },
};

export const rootCommands: readonly Command[] = [seal, check];
