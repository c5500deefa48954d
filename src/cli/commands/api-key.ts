import { type Principal, type Role, ROLES } from "../../registry/principal.ts";
import { type ApiKey, type ApiKeys, createApiKeys } from "../../staff/api-keys.ts";
import { type Command, show, type Surroundings, textOption, UsageError } from "../command.ts";
import { givenId } from "../given.ts";
import { operatorAtTheMachine } from "../operator.ts";
import { type Reached, reachDatabase } from "../reach.ts";

function apiKeysOf({ open }: Reached, { system }: Surroundings): ApiKeys {
  return createApiKeys({ database: open("suido_app"), ...system });
}

function roleOf(text: string | undefined): Role {
  const role = ROLES.find((name) => name === text);
  if (role === undefined) throw new UsageError(`--role is one of ${ROLES.join(", ")}`);
  return role;
}

const create: Command = {
  words: ["api-key", "create"],
  options: {
    role: { type: "string", value: "ROLE", help: ROLES.join(", ") },
    label: { type: "string", value: "TEXT", help: "what it is for, in your words" },
    corporation: { type: "string", value: "ID", help: "the only corporation that it sees" },
    "relying-party": {
      type: "string",
      value: "NAME",
      help: "the relying party that a proxy's key speaks for",
    },
  },
  summary: "make an API key; it is shown once",
  run: async (given, surroundings) => {
    const role = roleOf(textOption(given, "role"));
    const label = textOption(given, "label");
    const corporationId = textOption(given, "corporation");
    const relyingParty = textOption(given, "relying-party");
    const made = await reachDatabase(surroundings, (reached) =>
      apiKeysOf(reached, surroundings).create(operatorAtTheMachine(), {
        role,
        ...(label === undefined ? {} : { label }),
        ...(corporationId === undefined ? {} : { corporationId }),
        ...(relyingParty === undefined ? {} : { relyingParty }),
      }),
    );
    show(given, surroundings, {
      json: { id: made.id, role: made.role, key: made.key },
      lines: [made.key, `id ${made.id}, role ${made.role}. It is not shown again.`],
    });
    return 0;
  },
};

/** Every key, page by page. */
async function allKeys(keys: ApiKeys, principal: Principal): Promise<readonly ApiKey[]> {
  const all: ApiKey[] = [];
  let after: string | undefined;
  do {
    const page = await keys.list(principal, after === undefined ? {} : { after });
    all.push(...page.items);
    after = page.nextCursor;
  } while (after !== undefined);
  return all;
}

function lineOf({ id, role, label, corporationId, createdAt, revokedAt }: ApiKey): string {
  const state = revokedAt === undefined ? "in force" : `revoked ${revokedAt.toISOString()}`;
  return [id, role.padEnd(8), createdAt.toISOString(), state, corporationId ?? "", label]
    .join("  ")
    .trimEnd();
}

const list: Command = {
  words: ["api-key", "list"],
  summary: "show the API keys, without their secrets",
  run: async (given, surroundings) => {
    const keys = await reachDatabase(surroundings, (reached) =>
      allKeys(apiKeysOf(reached, surroundings), operatorAtTheMachine()),
    );
    show(given, surroundings, { json: { items: keys }, lines: keys.map(lineOf) });
    return 0;
  },
};

const revoke: Command = {
  words: ["api-key", "revoke"],
  positionals: ["id"],
  summary: "end an API key; a running service knows within a second",
  run: async (given, surroundings) => {
    const id = givenId(given);
    await reachDatabase(surroundings, (reached) =>
      apiKeysOf(reached, surroundings).revoke(operatorAtTheMachine(), id),
    );
    show(given, surroundings, { json: { id, revoked: true }, lines: [`${id} is revoked`] });
    return 0;
  },
};

export const apiKeyCommands: readonly Command[] = [create, list, revoke];
