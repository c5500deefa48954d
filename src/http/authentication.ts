import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";

import type { Principal } from "../registry/principal.ts";
import { UnauthorizedError } from "../staff/errors.ts";
import { demand, type Permission } from "../staff/roles.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks, once the API key was checked. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** What is served beside JSON. */
    mediaTypes?: readonly string[];
    /** What the caller's role must allow. */
    permission?: Permission;
  }
}

/** Whose API key this is. Throws UnauthorizedError. */
export type Authenticate = (presented: string) => Promise<Principal>;

/** Credentials of RFC 6750 §2.1; the scheme's name in any case (RFC 9110 §11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The API key that the request shows; undefined for one that shows none. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return BEARER.exec(headers.authorization ?? "")?.[1];
}

/** Notes who asks. Throws UnauthorizedError, or ForbiddenError when the role may not do this. */
export async function checkKey(
  request: FastifyRequest,
  permission: Permission,
  authenticate: Authenticate,
): Promise<void> {
  const presented = bearerOf(request);
  if (presented === undefined) throw new UnauthorizedError();
  request.principal = await authenticate(presented);
  demand(request.principal, permission);
}

/** Fails the start for a route that nobody said who may use. */
function demandPermission({ method, url, config }: RouteOptions): void {
  if (config?.permission === undefined)
    throw new Error(`${String(method)} ${url} names no permission`);
}

/** Every route of `app` from now on needs an API key, which is checked before anything else of the request is read. */
export function requireKeys(app: FastifyInstance, authenticate: Authenticate): void {
  app.addHook("onRoute", demandPermission);
  app.addHook("onRequest", async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) throw new Error("a route without permission was reached");
    await checkKey(request, permission, authenticate);
  });
}

/** The caller of a route that needs a key. */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === undefined)
    throw new Error("a route without authentication asks who is calling");
  return principal;
}
