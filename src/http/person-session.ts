import type { FastifyReply, FastifyRequest } from "fastify";

import type { OtherAccount, Person, PersonSessions } from "../staff/person-sessions.ts";

/** As long as a session can live, in seconds. */
const MAX_AGE_SECONDS = 8 * 60 * 60;

/** A cookie that only this host reads and sets, over TLS wherever the app has it; plain HTTP is a demo's. */
export interface HostCookie {
  /** Nothing, where there is none. */
  of(request: FastifyRequest): string;
  keep(reply: FastifyReply, value: string): void;
  drop(reply: FastifyReply): void;
}

export function hostCookie(
  name: string,
  { appUrl, maxAge }: { readonly appUrl: string; readonly maxAge: number },
): HostCookie {
  const secure = appUrl.startsWith("https:");
  // The prefix makes browsers refuse one that another host of the domain has set (RFC 6265bis §4.1.3.2).
  const full = secure ? `__Host-${name}` : name;
  // Lax: the provider sends the browser back here, and a link in a mail leads to where the person was.
  const attributes = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  return {
    of: ({ cookies }) => cookies[full] ?? "",
    keep: (reply, value) => void reply.setCookie(full, value, { ...attributes, maxAge }),
    drop: (reply) => void reply.clearCookie(full, attributes),
  };
}

/** Who is signed in at this browser. For routes of an app that reads cookies (`addWaySession`). */
export interface PersonSession {
  /** Undefined for nobody: never signed in, too long ago, or not allowed to any more. */
  signedInPerson(request: FastifyRequest): Promise<Person | undefined>;
  keep(reply: FastifyReply, secret: string): void;
  /** The other accounts of whoever is signed in. */
  others(request: FastifyRequest): Promise<readonly OtherAccount[]>;
  /** Goes on with one of them, if it is one. */
  change(request: FastifyRequest, reply: FastifyReply, accountId: string): Promise<void>;
  /** Ends what this browser's session was, here and in the database. */
  end(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

export function createPersonSession(
  personSessions: Pick<PersonSessions, "find" | "end" | "others" | "change">,
  appUrl: string,
): PersonSession {
  const cookie = hostCookie("suido-person", { appUrl, maxAge: MAX_AGE_SECONDS });
  return {
    signedInPerson: async (request) => personSessions.find(cookie.of(request)),
    keep: (reply, secret) => cookie.keep(reply, secret),
    others: (request) => personSessions.others(cookie.of(request)),
    async change(request, reply, accountId) {
      const secret = await personSessions.change(cookie.of(request), accountId);
      if (secret !== undefined) cookie.keep(reply, secret);
    },
    async end(request, reply) {
      await personSessions.end(cookie.of(request));
      cookie.drop(reply);
    },
  };
}
