import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { Emergencies } from "../lifecycle/emergency/emergencies.ts";
import { LifecycleError, NoSessionError } from "../lifecycle/errors.ts";
import { RegistryError } from "../registry/errors.ts";
import type { Person } from "../staff/person-sessions.ts";
import { emergencyPage, type EmergencyPageView } from "../web/emergency/emergency-page.ts";
import { emergencyPageOf } from "../web/emergency/states.ts";
import { HttpError } from "./errors.ts";
import { type HostCookie, hostCookie } from "./person-session.ts";
import type { ShowPage } from "./portal-pages.ts";
import { EmergencyAddress, EmergencyDevice } from "./schemas/emergency.ts";
import { MailedCode } from "./schemas/enrolments.ts";
import { NextPage } from "./schemas/factors.ts";
import { addWaySession, type WaySession } from "./way-session.ts";
import { browserIn } from "./way-view.ts";

export interface EmergencyRoutesOptions {
  readonly emergencies: Emergencies;
  readonly show: ShowPage;
  readonly appUrl: string;
  /** Who is signed in with the site's own provider, where there is one. */
  readonly signedInPerson: ((request: FastifyRequest) => Promise<Person | undefined>) | undefined;
}

type Route = FastifyPluginAsyncTypebox<EmergencyRoutesOptions>;

/** As long as a visit lives, in seconds. */
const MAX_AGE_SECONDS = 15 * 60;

const NEXT = "/emergency/next";

const schema = { hide: true } as const;

/** Whether it is a refusal that the page of the state explains better than a problem document. */
const isRefusal = (error: unknown): boolean =>
  error instanceof LifecycleError || error instanceof RegistryError;

type Show = (request: FastifyRequest, reply: FastifyReply, view: EmergencyPageView) => FastifyReply;

const showing =
  ({ show }: EmergencyRoutesOptions): Show =>
  (request, reply, view) =>
    show(request, reply, (context) => emergencyPage(view, context));

/** What the browser is to see. Of a visit that is none, or is over, the same as of an address that nobody has. */
async function viewOf(
  { emergencies }: EmergencyRoutesOptions,
  session: string,
): Promise<EmergencyPageView> {
  try {
    const visit = await emergencies.look(session);
    const { person } = visit;
    return { page: emergencyPageOf(visit), ...(person !== undefined && { person }) };
  } catch (error) {
    if (!(error instanceof NoSessionError)) throw error;
    return { page: "code" };
  }
}

/** Who it is, in the first way: by a code to the mailbox or the site's own sign-in. */
const firstRoutes: (session: HostCookie) => Route = (session) => async (app, options) => {
  const { emergencies, signedInPerson } = options;
  const show = showing(options);
  app.get("/emergency", { schema }, async (request, reply) => {
    const person = await signedInPerson?.(request);
    const known = person !== undefined && { signedInAs: person.name };
    return show(request, reply, { page: "start", ...known });
  });
  app.get(NEXT, { schema }, async (request, reply) =>
    show(request, reply, await viewOf(options, session.of(request))),
  );
  app.post(
    "/emergency",
    { schema: { ...schema, body: EmergencyAddress } },
    async (request, reply) => {
      session.keep(reply, await emergencies.begin(request.body.address));
      return reply.redirect(NEXT, 303);
    },
  );
  app.post("/emergency/sign-in", { schema }, async (request, reply) => {
    const person = await signedInPerson?.(request);
    const secret = person && (await emergencies.beginSignedIn(person));
    if (secret === undefined) return reply.redirect("/sign-in/go?to=emergency", 303);
    session.keep(reply, secret);
    return reply.redirect(NEXT, 303);
  });
  app.post(
    "/emergency/codes",
    { schema: { ...schema, body: MailedCode } },
    async (request, reply) => {
      const secret = session.of(request);
      try {
        if (await emergencies.enterCode(secret, request.body.code))
          return reply.redirect(NEXT, 303);
      } catch (error) {
        if (!(error instanceof NoSessionError)) throw error;
      }
      return show(request, reply.code(422), { page: "code", isWrong: true });
    },
  );
};

/** And in the second. */
const secondRoutes: (session: HostCookie) => Route = (session) => async (app, options) => {
  const { emergencies } = options;
  const show = showing(options);
  app.post(
    "/emergency/app-codes",
    { schema: { ...schema, body: MailedCode } },
    async (request, reply) => {
      const secret = session.of(request);
      try {
        const verdict = await emergencies.enterAppCode(secret, request.body.code);
        if (verdict === "right") return reply.redirect(NEXT, 303);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return reply.redirect(NEXT, 303);
      }
      return show(request, reply.code(422), { ...(await viewOf(options, secret)), isWrong: true });
    },
  );
  app.post("/emergency/passkeys/options", { schema }, (request) =>
    emergencies.passkeyOptions(session.of(request)),
  );
  app.post(
    "/emergency/passkeys",
    { schema: { ...schema, response: { 200: NextPage } } },
    (request) =>
      emergencies.showPasskey(session.of(request), request.body).then((verdict) => {
        if (verdict === "right") return { next: NEXT };
        throw new HttpError("invalid-request", "this is no passkey of this person's");
      }),
  );
};

/** What the machine stands in for; from here on it goes the way of all. */
const choosing: (session: HostCookie, way: WaySession) => Route =
  (session, way) => async (app, options) => {
    const { emergencies } = options;
    const show = showing(options);
    app.post(
      "/emergency/devices",
      { schema: { ...schema, body: EmergencyDevice } },
      async (request, reply) => {
        const secret = session.of(request);
        const { device: deviceId = "" } = request.body;
        try {
          const { platform } = browserIn(request);
          way.keep(reply, await emergencies.standIn(secret, { deviceId, platform }));
          session.drop(reply);
          return reply.redirect("/way", 303);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          const view = await viewOf(options, secret);
          return show(request, reply.code(409), { ...view, isWrong: view.page === "choose" });
        }
      },
    );
  };

/** The night on which the only machine does not boot: from any device, without a certificate. */
export const emergencyRoutes: Route = async (app, options) => {
  const way = await addWaySession(app, options.appUrl);
  const session = hostCookie("suido-emergency", {
    appUrl: options.appUrl,
    maxAge: MAX_AGE_SECONDS,
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers({ "cache-control": "no-store", "accept-ch": "Sec-CH-UA-Platform-Version" });
  });
  await app.register(firstRoutes(session), options);
  await app.register(secondRoutes(session), options);
  await app.register(choosing(session, way), options);
};
