import type { Tx } from "../storage/prisma.ts";
import { InvalidValueError } from "./errors.ts";
import { parseForeignId } from "./text.ts";

/** A person as an OpenID provider knows them (OpenID Connect Core 1.0 §2: `iss` and `sub` together are unique). */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** A person as another system knows them. */
export interface ExternalId {
  readonly system: string;
  readonly value: string;
}

/** What an account is known by, each in the order of its text. */
export interface AccountNames {
  readonly identities: readonly Identity[];
  readonly externalIds: readonly ExternalId[];
}

/** `sub` has at most 255 characters (OpenID Connect Core 1.0 §2); the others are the columns' lengths. */
const MAX = { issuer: 512, subject: 255, system: 64, value: 255 };

/** Two identifiers of one account that are equal would be one. */
function demandDistinct(keys: readonly string[], field: string): void {
  keys.forEach((key, i) => {
    const first = keys.indexOf(key);
    if (first < i)
      throw new InvalidValueError(`${field}[${i}]`, `is the same as ${field}[${first}]`);
  });
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function identityKey({ issuer, subject }: Identity): string {
  return JSON.stringify([issuer, subject]);
}

function externalIdKey({ system, value }: ExternalId): string {
  return JSON.stringify([system, value]);
}

/** Throws InvalidValueError. */
export function parseIdentities(identities: readonly Identity[]): readonly Identity[] {
  const parsed = identities.map(({ issuer, subject }, i) => ({
    issuer: parseForeignId(issuer, `identities[${i}].issuer`, MAX.issuer),
    subject: parseForeignId(subject, `identities[${i}].subject`, MAX.subject),
  }));
  demandDistinct(parsed.map(identityKey), "identities");
  return sortedIdentities(parsed);
}

/** Throws InvalidValueError. */
export function parseExternalIds(externalIds: readonly ExternalId[]): readonly ExternalId[] {
  const parsed = externalIds.map(({ system, value }, i) => ({
    system: parseForeignId(system, `externalIds[${i}].system`, MAX.system),
    value: parseForeignId(value, `externalIds[${i}].value`, MAX.value),
  }));
  demandDistinct(parsed.map(externalIdKey), "externalIds");
  return sortedExternalIds(parsed);
}

function sortedIdentities(identities: readonly Identity[]): readonly Identity[] {
  return identities.toSorted((a, b) => order(identityKey(a), identityKey(b)));
}

function sortedExternalIds(externalIds: readonly ExternalId[]): readonly ExternalId[] {
  return externalIds.toSorted((a, b) => order(externalIdKey(a), externalIdKey(b)));
}

/** Rows of both tables, as Prisma and the staff functions give them. */
export interface NameRows {
  readonly identities: readonly (Identity & { readonly accountId: string })[];
  readonly externalIds: readonly (ExternalId & { readonly accountId: string })[];
}

/** The names of one account among those of many. */
export function namesOf(accountId: string, rows: NameRows): AccountNames {
  const own = (row: { readonly accountId: string }): boolean => row.accountId === accountId;
  return {
    identities: sortedIdentities(
      rows.identities.filter(own).map(({ issuer, subject }) => ({ issuer, subject })),
    ),
    externalIds: sortedExternalIds(
      rows.externalIds.filter(own).map(({ system, value }) => ({ system, value })),
    ),
  };
}

/** The names of these accounts, of the transaction's tenant. */
export async function readNames(tx: Tx, accountIds: readonly string[]): Promise<NameRows> {
  const where = { accountId: { in: [...accountIds] } };
  return {
    identities: await tx.identity.findMany({ where }),
    externalIds: await tx.externalId.findMany({ where }),
  };
}

/** Makes these the account's identities, instead of those that it had. */
export async function replaceIdentities(
  tx: Tx,
  owner: { readonly corporationId: string; readonly accountId: string },
  identities: readonly Identity[],
): Promise<void> {
  await tx.identity.deleteMany({ where: { accountId: owner.accountId } });
  await tx.identity.createMany({ data: identities.map((identity) => ({ ...identity, ...owner })) });
}

/** Makes these the account's external ids, instead of those that it had. */
export async function replaceExternalIds(
  tx: Tx,
  owner: { readonly corporationId: string; readonly accountId: string },
  externalIds: readonly ExternalId[],
): Promise<void> {
  await tx.externalId.deleteMany({ where: { accountId: owner.accountId } });
  await tx.externalId.createMany({
    data: externalIds.map((externalId) => ({ ...externalId, ...owner })),
  });
}
