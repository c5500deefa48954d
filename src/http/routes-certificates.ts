import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { Certificates } from "../ca/certificates.ts";
import type { DeviceStatus } from "../ca/device-status.ts";
import type { Issuance, IssuedCertificate, KeyRequest } from "../ca/issuance.ts";
import type { ChangedCertificate, Revocation } from "../ca/revocation.ts";
import type { RenewalTime, RenewalTimes } from "../lifecycle/renewal-times.ts";
import { parseSerial } from "../pki/serial.ts";
import { principalOf } from "./authentication.ts";
import type { HttpMetrics } from "./http-metrics.ts";
import { idempotencyOf } from "./idempotency.ts";
import { bodyOrNone } from "./json-body.ts";
import * as schemas from "./schemas/certificates.ts";
import {
  bodyProblems,
  CreationHeaders,
  IdParams,
  named,
  page,
  problems,
  SerialParams,
} from "./schemas/common.ts";

export interface CertificateRoutesOptions {
  readonly issuance: Issuance;
  readonly certificates: Certificates;
  readonly revocation: Revocation;
  readonly deviceStatus: DeviceStatus;
  readonly renewalTimes: RenewalTimes;
  readonly counters: Pick<HttpMetrics, "issued" | "revoked">;
}

const tags = ["Certificates"];

/** Answers with a certificate. One that was asked for before is given again, but not counted again. */
async function replyIssued(
  { request, reply, counters }: Answering,
  make: (how: Pick<KeyRequest, "idempotency" | "onRepeated">) => Promise<IssuedCertificate>,
): Promise<IssuedCertificate> {
  const idempotency = idempotencyOf(request, reply);
  let isNew = true;
  const issued = await make({
    ...(idempotency !== undefined && { idempotency }),
    onRepeated: () => (isNew = false),
  });
  reply.code(201).header("location", `/v1/certificates/${issued.serialNumber}`);
  if (isNew) counters.issued();
  return issued;
}

interface Answering extends Pick<CertificateRoutesOptions, "counters"> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** In force either way; 202 says that the journal has yet to confirm it. */
function replyChanged(
  reply: FastifyReply,
  { certificate, journaled }: Omit<ChangedCertificate, "changed">,
): ChangedCertificate["certificate"] & { readonly journaled: boolean } {
  reply.code(journaled ? 200 : 202);
  return { ...certificate, journaled };
}

const issuedAnswers = {
  201: named(schemas.IssuedCertificate),
  ...bodyProblems(404, 409),
};
const changedAnswers = {
  200: named(schemas.ChangedCertificate),
  202: named(schemas.ChangedCertificate),
};

/** What is told of a certificate, and when it is to be renewed. */
async function withRenewal<T extends object>(
  asked: Promise<T>,
  time: Promise<RenewalTime | undefined>,
): Promise<T & Partial<RenewalTime>> {
  const [facts, renewal] = await Promise.all([asked, time]);
  return { ...facts, ...renewal };
}

/** Looking at certificates. */
export const certificateReadingRoutes: FastifyPluginAsyncTypebox<CertificateRoutesOptions> = async (
  app,
  { certificates, renewalTimes },
) => {
  app.get(
    "/certificates",
    {
      config: { permission: "certificates:read" },
      schema: {
        summary: "Search for certificates",
        description:
          "All that is given must hold. A page may hold fewer items than asked for while more follow: only nextCursor tells.",
        tags,
        querystring: schemas.CertificateQuery,
        response: { 200: page(named(schemas.Certificate)), ...problems(422) },
      },
    },
    (request) => {
      const { limit, after, ...filter } = request.query;
      const wanted = { limit, ...(after !== undefined && { after }) };
      return certificates.search(principalOf(request), filter, wanted);
    },
  );
  app.get(
    "/certificates/:serialNumber",
    {
      config: { permission: "certificates:read" },
      schema: {
        summary: "Look at a certificate",
        tags,
        params: SerialParams,
        response: { 200: named(schemas.Certificate), ...problems(404) },
      },
    },
    (request) => {
      const [principal, serial] = [principalOf(request), parseSerial(request.params.serialNumber)];
      return withRenewal(certificates.one(principal, serial), renewalTimes.of(principal, serial));
    },
  );
};

/** What products ask: of a certificate, and of a device. */
export const statusRoutes: FastifyPluginAsyncTypebox<CertificateRoutesOptions> = async (
  app,
  { deviceStatus },
) => {
  app.get(
    "/devices/:id/certificates",
    {
      config: { permission: "certificates:read" },
      schema: {
        summary: "All certificates of a device, with the place of each and the current ones marked",
        tags,
        params: IdParams,
        response: { 200: named(schemas.Lineage), ...problems(404) },
      },
    },
    (request) => deviceStatus.lineage(principalOf(request), request.params.id),
  );
  app.get(
    "/status/:serialNumber",
    {
      config: { permission: "status:read" },
      schema: {
        summary: "Is it alive, whose is it, what came after it",
        description: "With ?account= also whether that account may use the device.",
        tags: ["Status"],
        params: SerialParams,
        querystring: schemas.StatusQuery,
        response: { 200: named(schemas.CertificateState), ...problems(404) },
      },
    },
    (request) => {
      const { account } = request.query;
      const [principal, serial] = [principalOf(request), parseSerial(request.params.serialNumber)];
      const question = account === undefined ? {} : { accountId: account };
      return deviceStatus.status(principal, serial, question);
    },
  );
};

/** Making new ones: for a device, or in the place of another. */
export const issuingRoutes: FastifyPluginAsyncTypebox<CertificateRoutesOptions> = async (
  app,
  { issuance, counters },
) => {
  app.post(
    "/certificates",
    {
      config: { permission: "certificates:issue" },
      schema: {
        summary: "Issue a certificate",
        description:
          "The account must be a member of the device's pharmacy. Without csr the server makes the key and returns the bundle once.",
        tags,
        headers: CreationHeaders,
        body: schemas.NewCertificate,
        response: issuedAnswers,
      },
    },
    (request, reply) =>
      replyIssued({ request, reply, counters }, (how) =>
        issuance.issue(principalOf(request), { ...request.body, ...how }),
      ),
  );
  const successors = [
    [
      "renew",
      "A new certificate for the same device and account: for one that is good, or expired at most 14 days ago",
    ],
    ["reissue", "A new certificate in the place of any other, also of a revoked one"],
  ] as const;
  for (const [verb, summary] of successors) {
    app.post(
      `/certificates/:serialNumber/${verb}`,
      {
        config: { permission: "certificates:replace" },
        schema: {
          summary,
          tags,
          headers: CreationHeaders,
          params: SerialParams,
          body: schemas.NextCertificate,
          response: issuedAnswers,
        },
        preValidation: bodyOrNone,
      },
      async (request, reply) => {
        const serial = parseSerial(request.params.serialNumber);
        return replyIssued({ request, reply, counters }, (how) =>
          issuance[verb](principalOf(request), serial, { ...request.body, ...how }),
        );
      },
    );
  }
};

/** Taking certificates out of use, and back from a hold. */
export const revocationRoutes: FastifyPluginAsyncTypebox<CertificateRoutesOptions> = async (
  app,
  { revocation, counters },
) => {
  app.post(
    "/certificates/:serialNumber/revoke",
    {
      config: { permission: "certificates:revoke" },
      schema: {
        summary: "Revoke a certificate, or hold it with certificateHold",
        description:
          "The same reason again changes nothing. keyCompromise revokes every certificate of the same key. 202 with journaled: false: in force, but not yet in the journal.",
        tags,
        params: SerialParams,
        body: schemas.Revocation,
        response: { ...changedAnswers, ...bodyProblems(404, 409) },
      },
    },
    async (request, reply) => {
      const serial = parseSerial(request.params.serialNumber);
      const { reason } = request.body;
      const answer = await revocation.revoke(principalOf(request), serial, reason);
      if (answer.changed) counters.revoked(reason);
      return replyChanged(reply, answer);
    },
  );
  app.post(
    "/certificates/:serialNumber/unhold",
    {
      config: { permission: "certificates:unhold" },
      schema: {
        summary: "End a hold",
        tags,
        params: SerialParams,
        body: schemas.Nothing,
        response: { ...changedAnswers, ...bodyProblems(404, 409) },
      },
      preValidation: bodyOrNone,
    },
    async (request, reply) => {
      const serial = parseSerial(request.params.serialNumber);
      return replyChanged(reply, await revocation.unhold(principalOf(request), serial));
    },
  );
};
