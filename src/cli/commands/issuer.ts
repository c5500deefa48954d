import { ISSUER_REASONS } from "../../ca/issuer-revocation.ts";
import type { OrderOutcome, WantedOrder } from "../../ca/issuer-orders.ts";
import { openFileKeyStore } from "../../ca/file-key-store.ts";
import { readIssuers } from "../../ca/issuer.ts";
import { readKeks } from "../../ca/kek.ts";
import { REASON_CODES } from "../../pki/revocation-reason.ts";
import {
  type Command,
  CommandError,
  type Given,
  show,
  type Surroundings,
  textOption,
  UsageError,
} from "../command.ts";
import { type Reached, reachDatabase } from "../reach.ts";
import { orderOfSigner, publishNow } from "../signing.ts";

/** The two names of `--by`; none where it was not given. Throws UsageError. */
function namesOf(given: Given): readonly string[] {
  const text = textOption(given, "by");
  if (text === undefined) return [];
  const names = text.split(",").map((name) => name.trim());
  if (names.length !== 2 || names.includes(""))
    throw new UsageError("--by names two people, with a comma between them");
  return names;
}

/** The roots in force, and whether this key store has the key. */
async function activeRoot(
  { config, open }: Reached,
  { system }: Surroundings,
): Promise<{ readonly id: string; readonly isHere: boolean } | undefined> {
  const issuers = await readIssuers(open("suido_signer"));
  const root = issuers.find(({ kind, state }) => kind === "root" && state === "active");
  if (root === undefined) return undefined;
  const keks = readKeks(config.kekFile);
  const store = openFileKeyStore({ folder: config.keyStoreDir, keks, random: system.random });
  return { id: root.id, isHere: await store.has(root.id) };
}

/** The CA that it was about. Throws CommandError with the signer's sentence. */
async function ordered(
  reached: Reached,
  order: WantedOrder,
  { system }: Surroundings,
): Promise<string> {
  const outcome: OrderOutcome = await orderOfSigner(reached, order, system);
  if ("refused" in outcome) throw new CommandError(outcome.refused);
  return outcome.issuerId;
}

const rotate: Command = {
  words: ["ca", "rotate"],
  summary: "make the next generation of the issuing CA, and announce it",
  run: async (given, surroundings) => {
    const made = await reachDatabase(surroundings, async (reached) => {
      const root = await activeRoot(reached, surroundings);
      if (root === undefined) throw new CommandError("there is no CA yet: suido ca init");
      if (!root.isHere) {
        throw new CommandError(
          `the key of ${root.id} is not in this key store. A root session makes the next issuing CA: suido ca request FILE --new-issuing here, suido ca sign FILE where the root's key is, suido ca import FILE here`,
        );
      }
      const issuerId = await ordered(reached, { kind: "rotate" }, surroundings);
      const [list] = await publishNow(reached, surroundings.system, [issuerId]);
      return { issuerId, list };
    });
    show(given, surroundings, {
      json: made,
      lines: [
        `${made.issuerId} is announced: it is in both bundles, with list ${made.list?.number}, and issues nothing yet.`,
        `It becomes active when every registered relying party has acknowledged it, or by: suido ca activate ${made.issuerId}`,
      ],
    });
    return 0;
  },
};

const activate: Command = {
  words: ["ca", "activate"],
  positionals: ["issuer"],
  options: {
    override: { type: "boolean", help: "though not every relying party has it (two people)" },
    by: { type: "string", value: "NAME,NAME", help: "the two people who override" },
  },
  summary: "let an announced issuing CA issue; the one before retires",
  run: async (given, surroundings) => {
    const [issuerId = ""] = given.positionals;
    const by = namesOf(given);
    if ((given.options["override"] === true) !== by.length > 0)
      throw new UsageError("--override and --by NAME,NAME go together");
    await reachDatabase(surroundings, (reached) =>
      ordered(reached, { kind: "activate", issuerId, by }, surroundings),
    );
    show(given, surroundings, {
      json: { issuerId, state: "active" },
      lines: [
        `${issuerId} is active: new certificates come from it. The one before it retires, and ends with its last certificate.`,
      ],
    });
    return 0;
  },
};

function reasonOf(given: Given): number {
  const name = ISSUER_REASONS.find((reason) => reason === textOption(given, "reason"));
  if (name === undefined) throw new UsageError(`--reason is one of ${ISSUER_REASONS.join(", ")}`);
  return REASON_CODES[name];
}

const revoke: Command = {
  words: ["ca", "revoke"],
  positionals: ["issuer"],
  options: {
    reason: { type: "string", value: "REASON", help: ISSUER_REASONS.join(", ") },
    by: { type: "string", value: "NAME,NAME", help: "the two people who have decided it" },
  },
  summary: "revoke an issuing CA, and with it all that it has issued (two people)",
  run: async (given, surroundings) => {
    const [issuerId = ""] = given.positionals;
    const reason = reasonOf(given);
    const by = namesOf(given);
    if (by.length === 0) throw new UsageError("--by names the two people who have decided it");
    const { root, list } = await reachDatabase(surroundings, async (reached) => {
      const above = await activeRoot(reached, surroundings);
      await ordered(reached, { kind: "revoke", issuerId, reason, by }, surroundings);
      if (above?.isHere !== true) return { root: above?.id, list: undefined };
      const [published] = await publishNow(reached, surroundings.system, [above.id]);
      return { root: above.id, list: published };
    });
    show(given, surroundings, {
      json: { issuerId, rootList: list },
      lines: [
        `${issuerId} is revoked: it issues nothing, OCSP says revoked of it and of all that it has issued.`,
        list === undefined
          ? `The list of ${root} does not say so yet, and proxies with lists let its certificates in: hold a root session now (suido ca request, sign, import).`
          : `List ${list.number} of ${root} says so too: proxies refuse its certificates when they have that list.`,
      ],
    });
    return 0;
  },
};

export const issuerCommands: readonly Command[] = [rotate, activate, revoke];
