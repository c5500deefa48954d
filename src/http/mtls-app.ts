import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { Server as TlsServer, TLSSocket } from "node:tls";

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";

import type { Identification, Identified, Identify } from "../ca/identification.ts";
import type { Clock } from "../pki/clock.ts";
import { nonceOfHost } from "../lifecycle/checks.ts";
import type { Authorizer } from "../va/authorizer.ts";
import { loadCheckStyle } from "../web/assets.ts";
import { chooseLanguage } from "../web/language.ts";
import { standaloneTroublePage } from "../web/trouble-page.ts";
import { handshakeCertificate } from "./client-certificate.ts";
import { drainBeforeClose } from "./drain.ts";
import { installErrorReplies, replyProblem, type ShowTrouble } from "./error-replies.ts";
import { certificateRefused } from "./certificate-refusals.ts";
import { HttpError } from "./errors.ts";
import { pagePolicy } from "./help-pages.ts";
import { askedLanguage } from "./language-choice.ts";
import { SERVER_LIMITS } from "./limits.ts";
import {
  type ConnectionError,
  connectionProblem,
  endWith,
  type ListenerOptions,
  listenerSettings,
  refuseConnection,
} from "./listener.ts";
import { problemOf } from "./problem.ts";
import { limitPipelining } from "./pipelining.ts";
import { installRequestLog } from "./request-log.ts";
import { authorizeRoutes, recogniseByCertificate } from "./routes-authorize.ts";
import { addCheckVisit, type CheckVisitOptions } from "./routes-check-visit.ts";
import { addRenew, type RenewOptions } from "./routes-renew.ts";
import { addScriptedRenewal, type ScriptedRenewalOptions } from "./routes-scripted-renewal.ts";
import { Authorization } from "./schemas/authorize.ts";
import { ProblemSchema } from "./schemas/common.ts";
import { Whoami } from "./schemas/certificates.ts";
import { sharedSerializers } from "./serializers.ts";
import { createValidatorCompiler } from "./validators.ts";
import { watchMethods } from "./allowed-methods.ts";

/** What the listener shows in a handshake. */
export interface ServerCertificate {
  /** PEM, PKCS#8. */
  readonly key: string;
  /** PEM, with what the client needs to reach a root. */
  readonly certificate: string;
  /** PEM of our CAs. Their names go to the client (RFC 8446 §4.2.4), so that it offers the right certificate by itself. */
  readonly authorities: readonly string[];
}

export interface MtlsServerOptions
  extends
    ListenerOptions,
    CheckVisitOptions,
    ScriptedRenewalOptions,
    Pick<RenewOptions, "renewalStart" | "successorOf"> {
  readonly identify: Identify;
  readonly certificate: ServerCertificate;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** The address of the app, where the help page is. */
  readonly appUrl: string;
}

export interface MtlsServer {
  /** Not yet listening; `listen` and `close` are the caller's. */
  readonly app: FastifyInstance;
  /** From now on, new connections see this certificate; those that are open stay. */
  setCertificate(certificate: ServerCertificate): void;
}

/** A handshake holds a connection no longer than this, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The TLS settings that a certificate brings. */
function secureContext({ key, certificate, authorities }: ServerCertificate): {
  readonly key: string;
  readonly cert: string;
  readonly ca: string[];
  readonly minVersion: "TLSv1.2";
  readonly secureOptions: number;
} {
  return {
    key,
    cert: certificate,
    ca: [...authorities],
    minVersion: "TLSv1.2",
    // A resumed session skips the client's certificate (RFC 8446 §2.2); every connection shows it afresh.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The certificate of the handshake. */
function presented(request: FastifyRequest): Uint8Array {
  const certificate = handshakeCertificate(request);
  if (certificate === undefined)
    throw new HttpError("no-client-certificate", "the connection has no client certificate");
  return certificate;
}

/**
 * Of a client certificate that a forger signed in our name, OpenSSL leaves the bad signature in its queue of errors, and
 * Node.js takes that for a fault of the connection. The client is told what it is.
 */
function refuseHandshake(error: ConnectionError, socket: Socket): void {
  const isForged =
    socket instanceof TLSSocket && String(socket.authorizationError) === "CERT_SIGNATURE_FAILURE";
  if (!isForged || connectionProblem(error, socket) === undefined) {
    refuseConnection(error, socket);
    return;
  }
  endWith(problemOf(certificateRefused("foreign-issuer")), socket);
}

function demandIdentified(identification: Identification): Identified {
  if (identification.kind === "identified") return identification;
  throw certificateRefused(identification.reason);
}

function whoamiOf(identified: Identified): Static<typeof Whoami> {
  const { serialNumber, notAfter, daysLeft, device, account, pharmacy, corporation } = identified;
  return {
    serialNumber,
    notAfter,
    daysLeft,
    deviceId: device.id,
    deviceName: device.name,
    accountId: account.id,
    accountName: account.name,
    pharmacyId: pharmacy.id,
    pharmacyName: pharmacy.name,
    corporationId: corporation.id,
    corporationName: corporation.name,
  };
}

/** What a device's browser is shown when its request fails; it leads to where it can be tried again. */
function loadTrouble({ checkUrl, site }: MtlsServerOptions): ShowTrouble {
  const style = loadCheckStyle(site);
  return (request, reply, trouble) => {
    const acceptLanguage = request.headers["accept-language"];
    const language = chooseLanguage({ asked: askedLanguage(request), acceptLanguage });
    const path = nonceOfHost(request.host, checkUrl) === undefined ? "/renew" : "/";
    return reply
      .headers({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": pagePolicy(style),
      })
      .serializer(String)
      .send(standaloneTroublePage(trouble, path, { language, site, style }));
  };
}

/** Whoever shows the certificate. Asked for every request, not every connection: a revocation takes effect at once. */
type Demand = (request: FastifyRequest) => Promise<Identified>;

function addRoutes(app: FastifyInstance, demand: Demand): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  typed.get(
    "/health/live",
    { schema: { response: { 200: Type.Object({ status: Type.String() }) } } },
    async () => ({ status: "live" }),
  );
  typed.get("/v1/whoami", { schema: { response: { 200: Whoami } } }, (request) =>
    demand(request).then(whoamiOf),
  );
}

/**
 * The mTLS listener. It asks for a client certificate and lets every handshake pass, so that who has none, or a dead
 * one, gets a sentence instead of a broken connection; what a certificate is worth is decided for each request.
 */
export async function createMtlsServer(options: MtlsServerOptions): Promise<MtlsServer> {
  const app: FastifyInstance = Fastify({
    ...listenerSettings(options),
    ...sharedSerializers(),
    clientErrorHandler: refuseHandshake,
    https: {
      ...SERVER_LIMITS,
      ...secureContext(options.certificate),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
  });
  app.setValidatorCompiler(createValidatorCompiler());
  app.addSchema(ProblemSchema);
  app.addSchema(Authorization);
  app.decorateRequest("principal", undefined);
  drainBeforeClose(app);
  limitPipelining(app);
  installErrorReplies(app, loadTrouble(options));
  installRequestLog(app);
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });
  const methods = watchMethods(app);
  const demand: Demand = async (request) =>
    demandIdentified(await options.identify(presented(request)));
  addRoutes(app, demand);
  addCheckVisit(app, options);
  await addRenew(app, options);
  await addScriptedRenewal(app, options, demand);
  const { appUrl, authorizer, clock, site } = options;
  const recognise = recogniseByCertificate(authorizer);
  const facts = { authorizer, recognise, clock, appUrl, site };
  await app.register(authorizeRoutes, { prefix: "/v1", ...facts });
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url.split("?", 1)[0] ?? "");
    if (allowed.length === 0) {
      const error = new HttpError("no-such-route", "nothing is served at this address");
      return replyProblem(error, request, reply);
    }
    reply.header("allow", allowed.join(", "));
    const error = new HttpError("method-not-allowed", `the methods here are ${allowed.join(", ")}`);
    return replyProblem(error, request, reply);
  });
  await app.ready();
  return {
    app,
    setCertificate(certificate) {
      const server: unknown = app.server;
      if (!(server instanceof TlsServer)) throw new Error("the mTLS listener has no TLS");
      server.setSecureContext(secureContext(certificate));
    },
  };
}
