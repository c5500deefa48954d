import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { ScriptSecrets } from "../lifecycle/script-secrets.ts";
import type { CertifyScript } from "../lifecycle/scripted-way.ts";
import type { Ways } from "../lifecycle/ways.ts";
import { pageOf } from "../web/way/states.ts";
import type { WayView } from "../web/way/way-page.ts";
import * as schemas from "./schemas/enrolments.ts";
import { isRefusal } from "./way-forms.ts";
import type { WayPages } from "./way-pages.ts";
import type { WaySession } from "./way-session.ts";
import { browserIn, hasScript, viewOf } from "./way-view.ts";

export interface ScriptRoutesOptions {
  readonly ways: Ways;
  readonly scriptSecrets: Pick<ScriptSecrets, "give">;
  readonly certifyScript: CertifyScript;
  readonly pages: WayPages;
}

type Route = FastifyPluginAsyncTypebox<ScriptRoutesOptions>;

/** To the page that knows how it goes on. */
const back = (reply: FastifyReply): FastifyReply => reply.redirect("/way", 303);

/** The script for whoever sets up machines: its page, its file, and what it asks for when it runs. */
export const scriptRoutes: (session: WaySession) => Route =
  (session) =>
  async (app, { certifyScript, pages, scriptSecrets, ways }) => {
    /** What a browser's page goes by that may have a script; undefined of any other, for which /way knows better. */
    const viewIn = async (request: FastifyRequest): Promise<WayView | undefined> => {
      const [way, browser] = [await ways.look(session.of(request)), browserIn(request)];
      const isOffered = pageOf(way) === "make" && hasScript(way, browser);
      return isOffered ? viewOf(way, browser, { file: true }) : undefined;
    };
    app.get("/way/script", { schema: { hide: true } }, async (request, reply) => {
      try {
        const view = await viewIn(request);
        return view === undefined ? back(reply) : pages.showScript(request, reply, view);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return back(reply);
      }
    });

    app.post("/way/script", { schema: { hide: true } }, async (request, reply) => {
      try {
        const view = await viewIn(request);
        if (view === undefined) return back(reply);
        const secret = await scriptSecrets.give(session.of(request));
        return pages.sendScript(request, reply, { view, secret });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return back(reply);
      }
    });

    app.post(
      "/way/script/certificates",
      {
        schema: {
          hide: true,
          body: schemas.ScriptRequest,
          response: { 201: schemas.ScriptAnswer },
        },
      },
      async (request, reply) => {
        const { certificate: made, check } = await certifyScript(request.body);
        const { certificate, chain, deviceId } = made;
        return reply.code(201).send({ deviceId, certificate, chain, checkUrl: check.url });
      },
    );
  };
