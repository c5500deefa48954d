import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import { NoSessionError } from "../lifecycle/errors.ts";
import type { FactorVisits } from "../lifecycle/factors/factor-visits.ts";
import type { Person } from "../staff/person-sessions.ts";
import { factorPage, type FactorPageView } from "../web/factors/factor-page.ts";
import type { Html } from "../web/html.ts";
import { qrPicture } from "../web/qr.ts";
import { HttpError } from "./errors.ts";
import { type HostCookie, hostCookie } from "./person-session.ts";
import type { ShowPage } from "./portal-pages.ts";
import { MailedCode } from "./schemas/enrolments.ts";
import * as schemas from "./schemas/factors.ts";
import { addWaySession, type WaySession } from "./way-session.ts";

export interface FactorPageRoutesOptions {
  readonly factorVisits: FactorVisits;
  readonly show: ShowPage;
  readonly appUrl: string;
  /** Who is signed in with the site's own provider, where there is one. */
  readonly signedInPerson: ((request: FastifyRequest) => Promise<Person | undefined>) | undefined;
}

type Route = FastifyPluginAsyncTypebox<FactorPageRoutesOptions>;
type Show = (
  request: FastifyRequest,
  reply: FastifyReply,
  view: Omit<FactorPageView, "emergencyUrl">,
) => FastifyReply;

/** As long as the session lives, in seconds. */
const MAX_AGE_SECONDS = 30 * 60;

const schema = { hide: true } as const;

function showing({ appUrl, show }: FactorPageRoutesOptions): Show {
  const emergencyUrl = `${appUrl}/emergency`;
  return (request, reply, view) =>
    show(request, reply, (context) => factorPage({ ...view, emergencyUrl }, context));
}

/** The page of the browser that has begun; the one that says how to begin, where it has not. */
async function page(
  { factorVisits }: FactorPageRoutesOptions,
  session: string,
): Promise<Omit<FactorPageView, "emergencyUrl">> {
  try {
    const { factors, key } = await factorVisits.look(session);
    if (key === undefined) return { page: "list", factors };
    const picture = (label: string): Promise<Html> => qrPicture(key.uri, label);
    const pictures = { ja: await picture("QRコード"), en: await picture("QR code") };
    return { page: "confirm", factors, key: { ...key, pictures } };
  } catch (error) {
    if (!(error instanceof NoSessionError)) throw error;
    return { page: "closed" };
  }
}

/** Whether the work was done; not where the browser has no session any more: the page that follows says how to begin. */
async function inSession(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof NoSessionError)) throw error;
    return false;
  }
}

/** Beginning: by a link, which GET only looks at, or by what this browser has just done. */
const beginning: (way: WaySession, session: HostCookie) => Route =
  (way, session) => async (app, options) => {
    const { factorVisits } = options;
    const show = showing(options);
    /** The link is spent by whoever has begun with it: pressed twice or opened again there, it leads on. */
    const hasBegun = (request: FastifyRequest): Promise<boolean> =>
      inSession(factorVisits.look(session.of(request)));
    app.get("/factors", { schema }, async (request, reply) =>
      show(request, reply, await page(options, session.of(request))),
    );
    app.get("/factors/:token", { schema }, async (request, reply) => {
      const { token } = request.params as { readonly token: string };
      if (await factorVisits.isOpen(token)) return show(request, reply, { page: "link", token });
      if (await hasBegun(request)) return reply.redirect("/factors", 303);
      return show(request, reply.code(404), { page: "unknown" });
    });
    app.post(
      "/factors",
      { schema: { ...schema, body: schemas.FactorBeginning } },
      async (request, reply) => {
        const { token } = request.body;
        const person = await options.signedInPerson?.(request);
        const secret = await factorVisits.begin({ token, way: way.of(request), person });
        if (secret !== undefined) session.keep(reply, secret);
        else if (!(await hasBegun(request)))
          return show(request, reply.code(403), { page: "closed" });
        return reply.redirect("/factors", 303);
      },
    );
  };

const changing: (session: HostCookie) => Route = (session) => async (app, options) => {
  const { factorVisits } = options;
  const show = showing(options);
  app.post("/factors/authenticator", { schema }, async (request, reply) => {
    await inSession(factorVisits.newAuthenticator(session.of(request)));
    return reply.redirect("/factors", 303);
  });
  app.post(
    "/factors/authenticator/codes",
    { schema: { ...schema, body: MailedCode } },
    async (request, reply) => {
      const secret = session.of(request);
      const { code } = request.body;
      try {
        if (await factorVisits.confirmAuthenticator(secret, code))
          return reply.redirect("/factors", 303);
      } catch (error) {
        if (!(error instanceof NoSessionError)) throw error;
      }
      const view = await page(options, secret);
      return show(request, reply.code(422), { ...view, isWrongCode: true });
    },
  );
  app.post(
    "/factors/remove",
    { schema: { ...schema, body: schemas.FactorChoice } },
    async (request, reply) => {
      await inSession(factorVisits.remove(session.of(request), request.body.id));
      return reply.redirect("/factors", 303);
    },
  );
  app.post("/factors/passkeys/options", { schema }, (request) =>
    factorVisits.passkeyOptions(session.of(request)),
  );
  app.post(
    "/factors/passkeys",
    { schema: { ...schema, response: { 200: schemas.NextPage } } },
    (request) =>
      factorVisits.addPasskey(session.of(request), request.body).then((isAdded) => {
        if (!isAdded) throw new HttpError("invalid-request", "this is no passkey for this page");
        return { next: "/factors" };
      }),
  );
};

/** The pages on which people prepare for a night. */
export const factorPageRoutes: Route = async (app, options) => {
  const way = await addWaySession(app, options.appUrl);
  const session = hostCookie("suido-factors", { appUrl: options.appUrl, maxAge: MAX_AGE_SECONDS });
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  await app.register(beginning(way, session), options);
  await app.register(changing(session), options);
};
