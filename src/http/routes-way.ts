import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { AppleProfiles } from "../lifecycle/apple-profile.ts";
import type { EnrolmentVisit, EnrolmentVisits, InHand } from "../lifecycle/enrolment-visits.ts";
import { LifecycleError, NoSessionError } from "../lifecycle/errors.ts";
import type { NoteStep } from "../lifecycle/enrolment-steps.ts";
import type { RenewalStart } from "../lifecycle/renewal-start.ts";
import type { Ways } from "../lifecycle/ways.ts";
import { EQUIPMENT_PATH } from "../web/portal-layout.ts";
import { inLanguage } from "../web/language.ts";
import { linkPageOf, pageOf } from "../web/way/states.ts";
import { prefersHtml } from "./accept.ts";
import { choiceOf } from "./language-choice.ts";
import { type MachineRoutesOptions, machineRoutes, questionView } from "./routes-machines.ts";
import { type ScriptRoutesOptions, scriptRoutes } from "./routes-script.ts";
import * as schemas from "./schemas/enrolments.ts";
import { inHandOf, isRefusal, NOBODY } from "./way-forms.ts";
import type { WayPages } from "./way-pages.ts";
import { addWaySession, type WaySession } from "./way-session.ts";
import { browserIn, isApples, isOtherKind, viewOf, warningsOf } from "./way-view.ts";

export interface WayRoutesOptions extends MachineRoutesOptions, ScriptRoutesOptions {
  readonly enrolmentVisits: EnrolmentVisits;
  readonly ways: Ways;
  readonly renewalStart: Pick<RenewalStart, "goOn">;
  readonly noteStep: NoteStep;
  readonly appleProfiles: AppleProfiles;
  readonly pages: WayPages;
  readonly appUrl: string;
  /** Whether people can sign in with the site's own provider. */
  readonly canSignIn: boolean;
}

function answerOf({ state, isReplaced, open }: EnrolmentVisit) {
  return { state, isReplaced, ...open };
}

type Route = FastifyPluginAsyncTypebox<WayRoutesOptions>;
type Begin = (
  request: FastifyRequest,
  reply: FastifyReply,
  inHand: InHand,
) => Promise<FastifyReply>;

const wantsPage = ({ headers }: FastifyRequest): boolean => prefersHtml(headers.accept);

/**
 * Whoever comes by a link has their mail before them: the code that says who they are goes there without being asked for. Not
 * where people sign in, and not for a code typed at a machine that has no mail.
 */
async function mailCode({ canSignIn, ways }: WayRoutesOptions, secret: string): Promise<void> {
  if (canSignIn) return;
  try {
    const { mail, state } = await ways.look(secret);
    if (state !== "started" || mail === undefined) return;
    await ways.mailCode(secret);
  } catch (error) {
    if (!isRefusal(error)) throw error; // as many as may be were sent, or another browser was quicker
  }
}

/** What a form that begins gets: the page after it, or itself again with what was wrong. */
function beginning(options: WayRoutesOptions, session: WaySession): Begin {
  const { enrolmentVisits, pages } = options;
  return async (request, reply, inHand) => {
    try {
      const before = session.of(request);
      const visit = await enrolmentVisits.start(inHand, before);
      const { kind, text } = inHand;
      if (visit.session === undefined) {
        const hand = kind === "link" ? { token: text } : { code: text };
        return pages.show(request, reply, { page: linkPageOf(visit), ...hand, ...NOBODY });
      }
      session.keep(reply, visit.session);
      if (kind === "link" && visit.session !== before) await mailCode(options, visit.session);
      return reply.redirect("/way", 303);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error instanceof LifecycleError)
        return pages.show(request, reply.code(429), { page: "limited", ...NOBODY });
      const page = inHand.kind === "link" ? "unknown" : "code";
      return pages.show(request, reply.code(404), { page, isWrongCode: true, ...NOBODY });
    }
  };
}

/** What whoever has a link or a code opens and presses. GET changes nothing: mail scanners open every link. */
const startRoutes: (session: WaySession) => Route = (session) => async (app, options) => {
  const { enrolmentVisits, pages } = options;
  const begin = beginning(options, session);

  app.get("/start", { schema: { hide: true } }, (request, reply) =>
    pages.show(request, reply, { page: "code", ...NOBODY }),
  );

  app.get("/start/:token", { schema: { hide: true } }, async (request, reply) => {
    const { token } = request.params as { readonly token: string };
    const inHand = { kind: "link", text: token } as const;
    if (!wantsPage(request)) return answerOf(await enrolmentVisits.open(inHand));
    try {
      const visit = await enrolmentVisits.open(inHand);
      const browser = browserIn(request);
      const { open } = visit;
      return pages.show(request, reply, {
        page: linkPageOf(visit),
        token,
        warnings: warningsOf(browser),
        isOtherKind: isOtherKind(open?.platform, browser),
        ...open,
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return pages.show(request, reply.code(404), { page: "unknown", ...NOBODY });
    }
  });

  app.post("/start", { schema: { hide: true, body: schemas.InHand } }, async (request, reply) => {
    const inHand = inHandOf(request.body);
    if (wantsPage(request)) return begin(request, reply, inHand);
    const { session: secret, ...visit } = await enrolmentVisits.start(inHand, session.of(request));
    if (secret !== undefined) session.keep(reply, secret);
    return answerOf(visit);
  });
};

/** What the browser does that has begun. */
const goingRoutes: (session: WaySession) => Route =
  (session) =>
  async (app, { canSignIn, newMachines, noteStep, ways, pages }) => {
    app.get("/way", { schema: { hide: true } }, async (request, reply) => {
      try {
        const secret = session.of(request);
        const way = await ways.look(secret);
        const question = await questionView(request, way, { newMachines, secret });
        if (question !== undefined) return pages.show(request, reply, question);
        const asked = request.query as { readonly with?: unknown; readonly "sign-in"?: unknown };
        const came = typeof asked["sign-in"] === "string" ? asked["sign-in"] : undefined;
        const wishes = { file: asked.with === "file", ...(canSignIn && { signIn: { came } }) };
        const view = viewOf(way, browserIn(request), wishes);
        return pages.show(request, reply, view);
      } catch (error) {
        if (!(error instanceof NoSessionError)) throw error;
        return pages.show(request, reply.code(403), { page: "elsewhere", ...NOBODY });
      }
    });

    app.get(
      "/way/state",
      { schema: { hide: true, response: { 200: schemas.WayState } } },
      (request) =>
        ways.look(session.of(request)).then(
          (way) => ({ page: pageOf(way) }),
          (error: unknown) => {
            if (error instanceof NoSessionError) return { page: "elsewhere" };
            throw error;
          },
        ),
    );

    app.post(
      "/way/certificates",
      { schema: { hide: true, body: schemas.WayRequest } },
      async (request, reply) => {
        const { csr, bundle } = request.body;
        const secret = session.of(request);
        if (csr !== undefined) {
          const { certificate, chain } = await ways.issue(secret, { csr });
          return { certificate, chain };
        }
        try {
          const { pkcs12 } = await ways.issue(secret, bundle === undefined ? {} : { bundle });
          const view = viewOf(await ways.look(secret), browserIn(request), { file: true });
          return pages.showKey(request, reply, { view, pkcs12 });
        } catch (error) {
          if (!isRefusal(error)) throw error;
          return reply.redirect("/way", 303);
        }
      },
    );

    app.post("/way/checks", { schema: { hide: true } }, async (request, reply) => {
      const secret = session.of(request);
      const { url } = await ways.check(secret);
      await noteStep(secret, "check-asked");
      // Of another host: our cookies do not go there.
      return reply.redirect(inLanguage(url, choiceOf(request)), 303);
    });
  };

/** What a page reports of itself while it is open; no answer depends on it. */
const stepRoute: (session: WaySession) => Route =
  (session) =>
  async (app, { noteStep }) => {
    const schema = { hide: true, body: schemas.WayStep };
    app.post("/way/steps", { schema }, async (request, reply) => {
      await noteStep(session.of(request), request.body.step);
      return reply.code(204).send();
    });
  };

/**
 * Where the mTLS listener sends a browser whose certificate it has seen. This GET opens a session, as the last step of a
 * sign-in elsewhere does (RFC 6749 §4.1.2): its token is a minute old at most, opens once, and stands in no mail.
 */
const renewalRoute: (session: WaySession) => Route = (session) => async (app, options) => {
  const { pages, renewalStart } = options;
  app.get("/renewals/:token", { schema: { hide: true } }, async (request, reply) => {
    const { token } = request.params as { readonly token: string };
    try {
      session.keep(reply, await renewalStart.goOn(token));
      return reply.redirect("/way", 303);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return pages.show(request, reply.code(404), { page: "elsewhere", ...NOBODY });
    }
  });
};

/** Being identified by a code to the person's own address. */
const codeRoutes: (session: WaySession) => Route =
  (session) =>
  async (app, { canSignIn, ways, pages }) => {
    app.post("/way/code-mails", { schema: { hide: true } }, async (request, reply) => {
      try {
        await ways.mailCode(session.of(request));
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
      // Whatever came of it, the page of the state says what can be done.
      return reply.redirect("/way", 303);
    });

    app.post(
      "/way/codes",
      { schema: { hide: true, body: schemas.MailedCode } },
      async (request, reply) => {
        const secret = session.of(request);
        try {
          if (await ways.enterCode(secret, request.body.code)) return reply.redirect("/way", 303);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          return reply.redirect("/way", 303);
        }
        const wishes = { file: false, ...(canSignIn && { signIn: { came: undefined } }) };
        const view = viewOf(await ways.look(secret), browserIn(request), wishes);
        return pages.show(request, reply.code(422), { ...view, isWrongCode: true });
      },
    );
  };

/**
 * The certificate with a key that we made, as a profile: on Apple's devices nothing else is put on without a password. It goes out
 * in this very answer and is kept nowhere; whoever loses it presses again, and the one before is revoked.
 */
const profileRoute: (session: WaySession) => Route = (session) => async (app, options) => {
  const { appleProfiles, pages, ways } = options;
  app.post("/way/profile", { schema: { hide: true } }, async (request, reply) => {
    const browser = browserIn(request);
    if (!isApples(browser)) return reply.redirect("/way", 303);
    const secret = session.of(request);
    try {
      const made = await ways.issue(secret, { bundle: "compatible" });
      const { certificate, deviceName, pharmacyName } = await ways.look(secret);
      const { deviceId, notAfter, pkcs12 } = made;
      // Another press has made a newer one meanwhile.
      const isNewest = certificate?.serialNumber === made.serialNumber;
      if (pkcs12 === undefined || !isNewest || deviceName === undefined)
        return reply.redirect("/way", 303);
      const { body } = await appleProfiles.build({
        deviceId,
        deviceName,
        pharmacyName,
        notAfter,
        pkcs12,
        commonName: certificate.commonName,
        platform: browser.platform,
        language: pages.languageOf(request),
      });
      return reply
        .headers({
          "content-type": "application/x-apple-aspen-config",
          "content-disposition": 'attachment; filename="certificate.mobileconfig"',
        })
        .send(Buffer.from(body));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return reply.redirect("/way", 303);
    }
  });
};

/** The way of a certificate onto a device. Who names no text/html is a program, and gets JSON. */
export const wayRoutes: Route = async (app, options) => {
  const session = await addWaySession(app, options.appUrl);
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers({ "cache-control": "no-store", "accept-ch": "Sec-CH-UA-Platform-Version" });
  });
  app.get(EQUIPMENT_PATH, { schema: { hide: true } }, (request, reply) =>
    options.pages.showEquipment(request, reply),
  );
  await app.register(startRoutes(session), options);
  await app.register(goingRoutes(session), options);
  await app.register(stepRoute(session), options);
  await app.register(renewalRoute(session), options);
  await app.register(codeRoutes(session), options);
  await app.register(profileRoute(session), options);
  await app.register(machineRoutes(session), options);
  await app.register(scriptRoutes(session), options);
};
