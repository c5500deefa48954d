import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";

import type { Deputies } from "../lifecycle/deputies.ts";
import type { Desk } from "../lifecycle/desk.ts";
import type { DeviceHolds } from "../lifecycle/device-holds.ts";
import type { WaySignIn } from "../lifecycle/way-sign-in.ts";
import { SignInRefusedError } from "../staff/errors.ts";
import { type OpenId, type Proof, purposeOf } from "../staff/openid.ts";
import type { PersonSessions } from "../staff/person-sessions.ts";
import { signInPage, type SignInPage } from "../web/sign-in-page.ts";
import { createPersonSession, hostCookie, type PersonSession } from "./person-session.ts";
import type { PortalPages } from "./portal-pages.ts";
import { SignInAccount } from "./schemas/sign-in.ts";
import { addWaySession } from "./way-session.ts";

/** Signing in with the site's own provider, and what people do who have signed in. */
export interface SignIn {
  readonly openId: OpenId;
  readonly personSessions: PersonSessions;
  readonly waySignIn: WaySignIn;
  readonly desk: Desk;
  readonly deputies: Deputies;
  readonly deviceHolds: DeviceHolds;
}

export interface SignInRoutesOptions {
  readonly signIn: SignIn;
  readonly pages: PortalPages;
  readonly appUrl: string;
}

/** What somebody signs in for, and where they are afterwards. */
const TARGETS = {
  home: "/sign-in",
  way: "/way",
  manage: "/manage",
  factors: "/factors",
  emergency: "/emergency",
} as const;
type Target = keyof typeof TARGETS;

/** Where it is said why nobody was signed in: beside the other ways, for whoever is on the way of a certificate. */
function toldAt(target: Target): string {
  if (target === "way") return "/way?sign-in=";
  return target === "home" ? "/sign-in?problem=" : `/sign-in?to=${target}&problem=`;
}

const isTarget = (text: unknown): text is Target =>
  typeof text === "string" && Object.hasOwn(TARGETS, text);

const PROBLEMS = ["cancelled", "unavailable", "again", "unknown", "ended"] as const;
type Problem = (typeof PROBLEMS)[number];

const STATUS: Readonly<Partial<Record<SignInPage, number>>> = {
  unavailable: 503,
  unknown: 403,
  ended: 403,
};

/** As long as an attempt may take, in seconds. */
const ATTEMPT_SECONDS = 15 * 60;

const problemIn = ({ query }: FastifyRequest): Problem | undefined => {
  const { problem } = query as { readonly problem?: unknown };
  return PROBLEMS.find((each) => each === problem);
};

function targetIn({ query }: FastifyRequest): Target {
  const { to } = query as { readonly to?: unknown };
  return isTarget(to) ? to : "home";
}

/** What of a refused sign-in its page tells; anything else that is thrown is a fault of ours. */
function faultOf(error: unknown, log: Pick<Logger, "warn">): Problem {
  if (!(error instanceof SignInRefusedError)) throw error;
  log.warn({ fault: error.fault, why: error.message }, "a sign-in was refused");
  return error.fault;
}

const fail = (reply: FastifyReply, target: Target, problem: Problem | "other"): FastifyReply =>
  reply.redirect(`${toldAt(target)}${problem}`, 303);

type Route = FastifyPluginAsyncTypebox<SignInRoutesOptions>;

/** What a sign-in comes to: nothing to tell, or why it came to nothing. */
type Outcome = Problem | "other" | "choose" | undefined;

/** A session of the account that goes on; of several the oldest, and the person may choose another. */
async function openSession(
  reply: FastifyReply,
  proof: Proof,
  { personSessions, session }: { personSessions: PersonSessions; session: PersonSession },
): Promise<Outcome> {
  const accounts = await personSessions.accountsOf(proof);
  const account = accounts.find(({ maySignIn }) => maySignIn);
  if (account !== undefined) {
    session.keep(reply, await personSessions.begin(account, proof));
    return accounts.filter(({ maySignIn }) => maySignIn).length > 1 ? "choose" : undefined;
  }
  if (accounts.length > 0) return "ended";
  await personSessions.noteStranger(proof);
  return "unknown";
}

/** Whoever puts a certificate onto a device is identified, and not signed in: at the counter others come after them. */
async function identifyAt(
  waySecret: string,
  proof: Proof,
  { personSessions, waySignIn }: SignIn,
): Promise<Outcome> {
  const accounts = await personSessions.accountsOf(proof);
  if (accounts.length === 0) {
    await personSessions.noteStranger(proof);
    return "unknown";
  }
  const came = await waySignIn.signedIn(waySecret, accounts, proof.amr);
  return came === "other" ? came : undefined;
}

/** What one sees of signing in, who one is, and how one ends it. */
function addPages(
  app: Parameters<Route>[0],
  { pages, session }: { readonly pages: PortalPages; readonly session: PersonSession },
): void {
  app.get("/sign-in", { schema: { hide: true } }, async (request, reply) => {
    const person = await session.signedInPerson(request);
    const page: SignInPage = problemIn(request) ?? (person === undefined ? "start" : "in");
    const to = targetIn(request);
    const others = person === undefined ? [] : await session.others(request);
    const next = to === "home" ? TARGETS.manage : TARGETS[to];
    const view = { page, to, next, others, ...(person !== undefined && { person }) };
    return pages.send(reply.code(STATUS[page] ?? 200), signInPage(view, pages.contextOf(request)));
  });

  app.post(
    "/sign-in/account",
    { schema: { hide: true, body: SignInAccount } },
    async (request, reply) => {
      const { account, to } = request.body;
      await session.change(request, reply, account);
      return reply.redirect(isTarget(to) ? TARGETS[to] : TARGETS.home, 303);
    },
  );

  app.post("/sign-out", { schema: { hide: true } }, async (request, reply) => {
    await session.end(request, reply);
    return reply.redirect("/sign-in", 303);
  });
}

/**
 * Signing in and out. What leads to the provider is a link, because browsers hold a form's redirects against the page's
 * policy, and nobody knows through which hosts a provider sends people. It changes nothing here but a cookie.
 */
export const signInRoutes: Route = async (app, { appUrl, pages, signIn }) => {
  const { openId, personSessions } = signIn;
  const way = await addWaySession(app, appUrl);
  const session = createPersonSession(personSessions, appUrl);
  const attempts = hostCookie("suido-sign-in", { appUrl, maxAge: ATTEMPT_SECONDS });
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });

  addPages(app, { pages, session });

  app.get("/sign-in/go", { schema: { hide: true } }, async (request, reply) => {
    const target = targetIn(request);
    try {
      const { attempt, url } = await openId.begin(target);
      attempts.keep(reply, attempt);
      return reply.redirect(url, 303);
    } catch (error) {
      return fail(reply, target, faultOf(error, request.log));
    }
  });

  // This GET opens a session, as the protocol has it (RFC 6749 §4.1.2): its code is good once, and only with what the cookie
  // of this very browser holds.
  app.get("/sign-in/callback", { schema: { hide: true } }, async (request, reply) => {
    const attempt = attempts.of(request);
    attempts.drop(reply);
    const purpose = purposeOf(attempt);
    const target: Target = isTarget(purpose) ? purpose : "home";
    const [, query = ""] = request.url.split("?", 2);
    let outcome: Outcome;
    try {
      const proof = await openId.finish(attempt, query);
      outcome =
        target === "way"
          ? await identifyAt(way.of(request), proof, signIn)
          : await openSession(reply, proof, { personSessions, session });
    } catch (error) {
      outcome = faultOf(error, request.log);
    }
    if (outcome === "choose" && target !== "home")
      return reply.redirect(`/sign-in?to=${target}`, 303);
    return outcome === undefined || outcome === "choose"
      ? reply.redirect(TARGETS[target], 303)
      : fail(reply, target, outcome);
  });
};
