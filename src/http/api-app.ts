import { fastifyHelmet } from "@fastify/helmet";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";

import type { Authorizer } from "../va/authorizer.ts";
import { loadAssets, loadSheetStyle } from "../web/assets.ts";
import { acceptsJson, prefersHtml } from "./accept.ts";
import { watchMethods } from "./allowed-methods.ts";
import { type Authenticate, requireKeys } from "./authentication.ts";
import { drainBeforeClose } from "./drain.ts";
import { installErrorReplies, replyProblem } from "./error-replies.ts";
import { HttpError } from "./errors.ts";
import type { HttpMetrics } from "./http-metrics.ts";
import { addJsonParser } from "./json-body.ts";
import { type ListenerOptions, listenerSettings } from "./listener.ts";
import { addOpenApi } from "./openapi.ts";
import { addPages, type PagesOptions } from "./pages.ts";
import { limitPipelining } from "./pipelining.ts";
import { createPersonSession } from "./person-session.ts";
import { createPortalPages, scriptedPages } from "./portal-pages.ts";
import { installRequestLog } from "./request-log.ts";
import { authorizeRoutes, recogniseByKey } from "./routes-authorize.ts";
import {
  bulkCollectRoutes,
  bulkReportRoutes,
  bulkRoutes,
  type BulkRoutesOptions,
} from "./routes-bulk.ts";
import {
  enrolmentBatchReadingRoutes,
  enrolmentBatchRoutes,
  type EnrolmentBatchRoutesOptions,
} from "./routes-enrolment-batches.ts";
import {
  enrolmentSheetRoutes,
  type EnrolmentSheetRoutesOptions,
} from "./routes-enrolment-sheets.ts";
import { checkRoutes, type CheckRoutesOptions } from "./routes-checks.ts";
import {
  enrolmentDecisionRoutes,
  enrolmentReadingRoutes,
  type EnrolmentRoutesOptions,
  enrolmentRoutes,
} from "./routes-enrolments.ts";
import { emergencyRoutes, type EmergencyRoutesOptions } from "./routes-emergency.ts";
import { factorPageRoutes, type FactorPageRoutesOptions } from "./routes-factor-pages.ts";
import { factorRoutes, type FactorRoutesOptions } from "./routes-factors.ts";
import { figuresRoutes, type FiguresRoutesOptions } from "./routes-figures.ts";
import { apiKeyRoutes, type ApiKeyRoutesOptions } from "./routes-api-keys.ts";
import {
  certificateReadingRoutes,
  type CertificateRoutesOptions,
  issuingRoutes,
  revocationRoutes,
  statusRoutes,
} from "./routes-certificates.ts";
import { healthRoutes, type MetricsSource, metricsRoutes } from "./routes-operations.ts";
import {
  mailReportRoutes,
  mailRoutes,
  type MailRoutesOptions,
  taskRoutes,
} from "./routes-mails.ts";
import { manageRoutes } from "./routes-manage.ts";
import { partyRoutes, type PartyRoutesOptions } from "./routes-parties.ts";
import { registryRoutes, type RegistryRoutesOptions } from "./routes-registry.ts";
import { bannerRoutes, renewalRoutes, type RenewalRoutesOptions } from "./routes-renewals.ts";
import {
  stageReadingRoutes,
  type StageRoutesOptions,
  stageSettingRoutes,
} from "./routes-stages.ts";
import { type SignIn, signInRoutes } from "./routes-sign-in.ts";
import { type WayRoutesOptions, wayRoutes } from "./routes-way.ts";
import { sharedSerializers } from "./serializers.ts";
import { createValidatorCompiler } from "./validators.ts";
import { createWayPages } from "./way-pages.ts";

/** All that the app listener calls. */
export interface AppServerOptions
  extends
    ListenerOptions,
    RegistryRoutesOptions,
    CertificateRoutesOptions,
    CheckRoutesOptions,
    EnrolmentRoutesOptions,
    FactorRoutesOptions,
    Pick<FactorPageRoutesOptions, "factorVisits">,
    Pick<EmergencyRoutesOptions, "emergencies">,
    Pick<
      WayRoutesOptions,
      | "enrolmentVisits"
      | "newMachines"
      | "renewalStart"
      | "ways"
      | "noteStep"
      | "appleProfiles"
      | "scriptSecrets"
      | "certifyScript"
    >,
    ApiKeyRoutesOptions,
    PartyRoutesOptions,
    StageRoutesOptions,
    BulkRoutesOptions,
    EnrolmentBatchRoutesOptions,
    Pick<EnrolmentSheetRoutesOptions, "enrolmentSheets">,
    MailRoutesOptions,
    RenewalRoutesOptions,
    FiguresRoutesOptions,
    PagesOptions {
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  /** What `/metrics` shows. */
  readonly metrics: MetricsSource;
  /** Told of what happens here; registered with `metrics`. */
  readonly counters: HttpMetrics;
  readonly version: string;
  /** Below its host each check has one of its own. */
  readonly checkUrl: string;
  /** Undefined: the site has no provider, and nobody signs in. */
  readonly signIn?: SignIn | undefined;
}

/** Everything under `/v1`: with an API key, as JSON, never cached. */
function addApi(app: FastifyInstance, options: AppServerOptions): void {
  const sheetStyle = loadSheetStyle(options.site);
  void app.register(
    async (v1) => {
      v1.addHook("onRequest", async ({ headers, routeOptions }, reply) => {
        reply.header("cache-control", "no-store");
        const { mediaTypes = [] } = routeOptions.config;
        if (acceptsJson(headers.accept, mediaTypes)) return;
        const served = mediaTypes.length === 0 ? "application/json" : mediaTypes.join(" or ");
        throw new HttpError("not-acceptable", `only ${served} is served here`);
      });
      requireKeys(v1, options.authenticate);
      registryRoutes(v1, options);
      await v1.register(certificateReadingRoutes, options);
      await v1.register(statusRoutes, options);
      await v1.register(issuingRoutes, options);
      await v1.register(revocationRoutes, options);
      await v1.register(checkRoutes, options);
      await v1.register(renewalRoutes, options);
      await v1.register(bannerRoutes, options);
      await v1.register(enrolmentReadingRoutes, options);
      await v1.register(enrolmentRoutes, options);
      await v1.register(figuresRoutes, options);
      await v1.register(enrolmentDecisionRoutes, options);
      await v1.register(factorRoutes, options);
      await v1.register(apiKeyRoutes, options);
      await v1.register(partyRoutes, options);
      await v1.register(bulkRoutes, options);
      await v1.register(bulkReportRoutes, options);
      await v1.register(bulkCollectRoutes, options);
      await v1.register(enrolmentBatchRoutes, options);
      await v1.register(enrolmentBatchReadingRoutes, options);
      await v1.register(enrolmentSheetRoutes, { ...options, sheetStyle });
      await v1.register(stageReadingRoutes, options);
      await v1.register(stageSettingRoutes, options);
      await v1.register(mailRoutes, options);
      await v1.register(mailReportRoutes, options);
      await v1.register(taskRoutes, options);
    },
    { prefix: "/v1" },
  );
  const { authenticate, authorizer, clock, site, urls } = options;
  const recognise = recogniseByKey(authorizer, authenticate);
  void app.register(authorizeRoutes, {
    prefix: "/v1",
    authorizer,
    recognise,
    clock,
    appUrl: urls.app,
    site,
  });
}

/**
 * Settings for plain HTTP, behind the site's own TLS: that decides on HSTS. Pages have no script and take nothing from
 * elsewhere.
 */
async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(fastifyHelmet, {
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: "no-referrer" },
  });
}

/**
 * The app listener: pages for people, the API for programs, and what operators need. Not yet listening; `listen` and
 * `close` are the caller's.
 */
export async function createAppServer(options: AppServerOptions): Promise<FastifyInstance> {
  const app = Fastify({ ...listenerSettings(options), ...sharedSerializers() });
  // Fastify would also take text, and hand it on as a string.
  app.removeContentTypeParser("text/plain");
  addJsonParser(app);
  app.setValidatorCompiler(createValidatorCompiler());
  app.decorateRequest("principal", undefined);
  drainBeforeClose(app);
  limitPipelining(app);
  const assets = loadAssets(options.site);
  const portal = createPortalPages({ ...options, assets });
  installErrorReplies(app, portal.showTrouble);
  installRequestLog(app, options.counters.answered);
  const methods = watchMethods(app);
  await addSecurityHeaders(app);
  await addOpenApi(app, { url: options.urls.app, version: options.version });
  await app.register(healthRoutes, options);
  await app.register(metricsRoutes, options);
  addApi(app, options);
  const pages = addPages(app, { ...options, assets });
  const { urls } = options;
  const wayPages = createWayPages({ ...options, assets });
  const { signIn } = options;
  const canSignIn = signIn !== undefined;
  await app.register(wayRoutes, { ...options, canSignIn, appUrl: urls.app, pages: wayPages });
  if (signIn !== undefined) {
    const signing = { ...signIn, appUrl: urls.app, pages: portal };
    await app.register(signInRoutes, { ...signing, signIn });
    await app.register(manageRoutes, { ...signing, signIn, everywhere: pages });
  }
  const session = signIn && createPersonSession(signIn.personSessions, urls.app);
  const people = {
    ...options,
    appUrl: urls.app,
    signedInPerson: session && ((request: FastifyRequest) => session.signedInPerson(request)),
  };
  await app.register(factorPageRoutes, { ...people, show: scriptedPages(portal, "/factors") });
  await app.register(emergencyRoutes, { ...people, show: scriptedPages(portal, "/emergency") });

  const notFound = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = request.url.split("?", 1)[0] ?? "";
    const wantsPage = prefersHtml(request.headers.accept) && !path.startsWith("/v1/");
    // Somebody at a browser is not helped by other methods.
    if (wantsPage && request.method === "GET") return pages.notFound(request, reply);
    const allowed = methods.of(path);
    if (allowed.length > 0) {
      reply.header("allow", allowed.join(", "));
      const error = new HttpError(
        "method-not-allowed",
        `the methods here are ${allowed.join(", ")}`,
      );
      return replyProblem(error, request, reply);
    }
    if (wantsPage) return pages.notFound(request, reply);
    const error = new HttpError("no-such-route", "nothing is served at this address");
    return replyProblem(error, request, reply);
  };
  app.setNotFoundHandler(notFound);
  await app.ready();
  return app;
}
