import { afterAll, expect, it } from "vitest";
import { Prisma } from "../../../src/storage/generated/client.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { readFileSync } from "node:fs";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);

afterAll(async () => {
  await admin.close();
  await fresh.drop();
});

/** A column as both sides can tell it. */
interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  "String @db.Uuid": "uuid",
  String: "text",
  "String[]": "text[]",
  Int: "integer",
  "Int @db.SmallInt": "smallint",
  BigInt: "bigint",
  Boolean: "boolean",
  Bytes: "bytea",
  Json: "jsonb",
  "DateTime @db.Timestamptz(6)": "timestamp with time zone",
  'Unsupported("xid8")': "xid8",
};

const mapped = (text: string, fallback: string): string =>
  /@map\("([^"]+)"\)/.exec(text)?.[1] ?? fallback;

const schema = readFileSync("prisma/schema.prisma", "utf8");
const models = [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, name, body]) => ({
  name: name ?? "",
  body: body ?? "",
  table: `${/@@schema\("(\w+)"\)/.exec(body ?? "")?.[1]}.${/@@map\("(\w+)"\)/.exec(body ?? "")?.[1]}`,
}));
const names = new Set(models.map(({ name }) => name));

function columnsOf({ table, body }: (typeof models)[number]): Column[] {
  return body
    .split("\n")
    .map((line) => /^ {2}(\w+)\s+((?:Unsupported\("\w+"\)|\w+)(?:\[\])?)(\??)(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, , type = ""]) => !names.has(type.replace("[]", "")))
    .map(([, field = "", type = "", optional, rest = ""]) => {
      const native = / (@db\.\w+(?:\(\d+\))?)/.exec(rest)?.[1];
      return {
        table,
        column: mapped(rest, field),
        type: TYPES[native === undefined ? type : `${type} ${native}`] ?? `unknown: ${type}`,
        // A list of Prisma's is never null to its readers, and the database may hold null for the empty one.
        nullable: optional === "?" || type.endsWith("[]"),
      };
    });
}

const sorted = (columns: readonly Column[]): Column[] =>
  columns.toSorted((a, b) => `${a.table}.${a.column}`.localeCompare(`${b.table}.${b.column}`));

it("the Prisma models are the tables that the migrations make", async () => {
  const wanted = models.flatMap(columnsOf);
  const tables = models.map(({ table }) => table);
  const found = await admin.query<Column>(
    `select n.nspname || '.' || c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
            not a.attnotnull as nullable
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname || '.' || c.relname = any($1)`,
    [tables],
  );
  expect(wanted.length).toBeGreaterThan(80);
  expect(sorted(wanted)).toEqual(sorted(found));
});

it("the generated client knows the same models", () => {
  expect(Object.keys(Prisma.ModelName).toSorted()).toEqual([...names].toSorted());
});
