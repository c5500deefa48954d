import {
  type Serializer,
  type SerializerFactory,
  SerializerSelector,
} from "@fastify/fast-json-stringify-compiler";
import type { FastifyServerOptions } from "fastify";

function createSerializerFactory(): SerializerFactory {
  const build = SerializerSelector();
  const made = new Map<string, Serializer>();
  return (components, options) => {
    const compile = build(components, options);
    return (route) => {
      const key = JSON.stringify(route.schema);
      let serializer: Serializer | undefined;
      return (answer) => {
        serializer ??= made.get(key) ?? compile(route);
        made.set(key, serializer);
        return serializer(answer);
      };
    };
  };
}

/**
 * The setting of an app that makes what writes answers once for each schema, when it is first needed: most answers of most routes are
 * the same problem, and each would be compiled anew with all that it may refer to. For one app, whose components have one meaning each.
 */
export const sharedSerializers = (): Pick<FastifyServerOptions, "schemaController"> => ({
  schemaController: { compilersFactory: { buildSerializer: createSerializerFactory() } },
});
