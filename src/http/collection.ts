import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Static, TSchema } from "typebox";

import type { IdempotentRequest } from "../registry/idempotency.ts";
import type { Page } from "../registry/page.ts";
import type { Principal } from "../registry/principal.ts";
import type { Permission } from "../staff/roles.ts";
import { principalOf } from "./authentication.ts";
import { idempotencyOf } from "./idempotency.ts";
import {
  bodyProblems,
  CreationHeaders,
  Done,
  IdParams,
  named,
  page,
  problems,
} from "./schemas/common.ts";

/** How one kind of thing looks from outside: what is sent, and what comes back. */
interface CollectionSchemas<
  Item extends TSchema,
  New extends TSchema,
  Change extends TSchema,
  Query extends TSchema,
> {
  readonly item: Item;
  readonly create: New;
  readonly change: Change;
  readonly query: Query;
}

/** One kind of thing that can be made, looked at, changed and removed under one address. */
export interface Collection<
  Item extends TSchema,
  New extends TSchema,
  Change extends TSchema,
  Query extends TSchema,
> {
  readonly path: string;
  /** In a sentence: "a pharmacy". */
  readonly one: string;
  readonly tag: string;
  readonly schemas: CollectionSchemas<Item, New, Change, Query>;
  readonly permissions: { readonly read: Permission; readonly write: Permission };
  readonly create: (
    principal: Principal,
    fields: Static<New>,
    idempotency?: IdempotentRequest,
  ) => Promise<Static<Item> & { readonly id: string }>;
  readonly get: (principal: Principal, id: string) => Promise<Static<Item>>;
  readonly list: (principal: Principal, query: Static<Query>) => Promise<Page<Static<Item>>>;
  readonly update: (
    principal: Principal,
    id: string,
    change: Static<Change>,
  ) => Promise<Static<Item>>;
  readonly remove: (principal: Principal, id: string) => Promise<void>;
  /** What DELETE does, where it is not plainly removal. */
  readonly removal?: string;
}

/** Its params were validated as IdParams. */
function idOf(request: FastifyRequest): string {
  return (request.params as Static<typeof IdParams>).id;
}

/** What of one kind of thing can be read. */
export interface Reading<Item extends TSchema, Detail extends TSchema, Query extends TSchema> {
  readonly path: string;
  readonly tag: string;
  /** What the two calls are, in a sentence each. */
  readonly summaries: { readonly page: string; readonly one: string };
  /** One of a page, and the same looked at by itself. */
  readonly schemas: { readonly item: Item; readonly detail: Detail; readonly query: Query };
  readonly permission: Permission;
  readonly list: (principal: Principal, query: Static<Query>) => Promise<Page<Static<Item>>>;
  readonly get: (principal: Principal, id: string) => Promise<Static<Detail>>;
}

/** GET on the address of a kind of thing, and on one of them. */
export function addReading<Item extends TSchema, Detail extends TSchema, Query extends TSchema>(
  app: FastifyInstance,
  { path, tag, summaries, schemas, permission, list, get }: Reading<Item, Detail, Query>,
): void {
  const config = { permission };
  app.get(
    path,
    {
      config,
      schema: {
        summary: summaries.page,
        tags: [tag],
        querystring: schemas.query,
        response: { 200: page(named(schemas.item)), ...problems(422) },
      },
    },
    (request) => list(principalOf(request), request.query as Static<Query>),
  );
  app.get(
    `${path}/:id`,
    {
      config,
      schema: {
        summary: summaries.one,
        tags: [tag],
        params: IdParams,
        response: { 200: named(schemas.detail), ...problems(404) },
      },
    },
    (request) => get(principalOf(request), idOf(request)),
  );
}

function addWriting<
  Item extends TSchema,
  New extends TSchema,
  Change extends TSchema,
  Query extends TSchema,
>(app: FastifyInstance, collection: Collection<Item, New, Change, Query>): void {
  const { path, one, tag, schemas, permissions, create, update, remove } = collection;
  const config = { permission: permissions.write };
  app.post(
    path,
    {
      config,
      schema: {
        summary: `Create ${one}`,
        tags: [tag],
        headers: CreationHeaders,
        body: schemas.create,
        response: { 201: named(schemas.item), ...bodyProblems(404, 409) },
      },
    },
    async (request, reply) => {
      const fields = request.body as Static<New>;
      const made = await create(principalOf(request), fields, idempotencyOf(request, reply));
      return reply.code(201).header("location", `/v1${path}/${made.id}`).send(made);
    },
  );
  app.patch(
    `${path}/:id`,
    {
      config,
      schema: {
        summary: `Change ${one}`,
        description: "Members that are not given stay as they are; null takes a value away.",
        tags: [tag],
        params: IdParams,
        body: schemas.change,
        response: { 200: named(schemas.item), ...bodyProblems(404, 409) },
      },
    },
    (request) => update(principalOf(request), idOf(request), request.body as Static<Change>),
  );
  app.delete(
    `${path}/:id`,
    {
      config,
      schema: {
        summary: `Remove ${one}`,
        ...(collection.removal !== undefined && { description: collection.removal }),
        tags: [tag],
        params: IdParams,
        response: { 204: Done, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      await remove(principalOf(request), idOf(request));
      return reply.code(204).send(undefined);
    },
  );
}

/** The five calls of a collection: POST and GET on its address, GET, PATCH and DELETE on one of its things. */
export function addCollection<
  Item extends TSchema,
  New extends TSchema,
  Change extends TSchema,
  Query extends TSchema,
>(app: FastifyInstance, collection: Collection<Item, New, Change, Query>): void {
  const { item, query } = collection.schemas;
  addReading(app, {
    ...collection,
    summaries: { page: "A page of them, by id", one: `Look at ${collection.one}` },
    schemas: { item, detail: item, query },
    permission: collection.permissions.read,
  });
  addWriting(app, collection);
}
