/** What of the document a client can notice, in a form in which two documents can be compared. */
import { type Field, flatFields, type Schema } from "./flat";

interface Media {
  readonly schema?: Schema;
}

interface Response {
  readonly content?: Readonly<Record<string, Media>>;
}

interface Parameter {
  readonly $ref?: string;
  readonly name?: string;
  readonly in?: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Operation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, Response>>;
  readonly "x-body-limit"?: number;
  readonly "x-rate-group"?: string;
  readonly "x-emits"?: readonly string[];
}

/** A document as `generated/openapi.json` has it, of whatever age. */
export interface Published {
  readonly info: { readonly version: string };
  readonly security?: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly webhooks?: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
  };
  readonly "x-rate-groups"?: Readonly<Record<string, number>>;
  readonly "x-pseudo-operations"?: Readonly<Record<string, Operation>>;
}

export type Fields = ReadonlyMap<string, Field>;

export interface OperationSurface {
  /** `POST /api/v1/conferences` */
  readonly request: string;
  readonly credentials: string;
  /** By `path uuid`, `query limit`. */
  readonly parameters: Fields;
  readonly body: Fields;
  /** Of success, by status. */
  readonly answers: ReadonlyMap<string, Fields>;
  readonly bodyLimit: number | null;
  /** Milliseconds; null: none. */
  readonly cooldown: number | null;
  readonly emits: ReadonlySet<string>;
  /** Codes. */
  readonly errors: ReadonlySet<string>;
}

export interface Surface {
  readonly operations: ReadonlyMap<string, OperationSurface>;
  /** Fields of the data of each. */
  readonly events: ReadonlyMap<string, Fields>;
  /** `404 Session not found` by code; without a status where it is only an error of `command.result`. */
  readonly errors: ReadonlyMap<string, string>;
  /** Codes that a `command.result` can have. */
  readonly results: ReadonlySet<string>;
  /** What schemas of fields refer to. */
  resolved(schema: Schema): Schema;
}

const methods = ["get", "put", "post", "delete", "patch"];

export function surfaceOf(document: Published): Surface {
  const { schemas, parameters: shared = {} } = document.components;
  const resolved = (schema: Schema): Schema => {
    const name = schema.$ref?.split("/").at(-1);
    const target = name === undefined ? undefined : schemas[name];
    return target === undefined ? schema : resolved(target);
  };
  const fieldsOf = (schema: Schema | undefined): Fields =>
    new Map((schema ? flatFields(resolved, schema) : []).map((field) => [field.name, field]));

  const errors = new Map<string, string>();
  const codesOf = ({ responses = {} }: Operation): Set<string> => {
    const codes = new Set<string>();
    for (const [status, { content = {} }] of Object.entries(responses)) {
      const schema = content["application/json"]?.schema;
      if (!schema || Number(status) < 400) continue;
      for (const one of schema.oneOf ?? [schema]) {
        const { code, error } = resolved(one).properties ?? {};
        if (typeof code?.const !== "string") continue;
        codes.add(code.const);
        errors.set(code.const, `${status} ${String(error?.const)}`);
      }
    }
    return codes;
  };

  const operation = (path: string, method: string, one: Operation, common: readonly Parameter[]): OperationSurface => {
    const given = [...common, ...(one.parameters ?? [])].map(
      (parameter) => shared[parameter.$ref?.split("/").at(-1) ?? ""] ?? parameter,
    );
    const group = one["x-rate-group"];
    return {
      request: `${method.toUpperCase()} ${path}`,
      credentials:
        (one.security ?? document.security ?? []).flatMap((scheme) => Object.keys(scheme)).join(" ") || "none",
      parameters: new Map(
        given.map(({ in: place = "", name = "", required = false, schema = {} }) => {
          const key = `${place} ${name}`;
          return [key, { name: key, required, schema }];
        }),
      ),
      body: fieldsOf(one.requestBody?.content["application/json"]?.schema),
      answers: new Map(
        Object.entries(one.responses ?? {})
          .filter(([status]) => Number(status) < 400)
          .map(([status, { content = {} }]) => [status, fieldsOf(content["application/json"]?.schema)]),
      ),
      bodyLimit: one["x-body-limit"] ?? null,
      cooldown: group === undefined ? null : (document["x-rate-groups"]?.[group] ?? null),
      emits: new Set(one["x-emits"] ?? []),
      errors: codesOf(one),
    };
  };

  const operations = new Map<string, OperationSurface>();
  for (const [path, item] of Object.entries(document.paths)) {
    const common = Array.isArray(item.parameters) ? item.parameters : [];
    for (const method of methods) {
      const one: Operation | undefined = item[method] ?? undefined;
      if (one?.operationId) operations.set(one.operationId, operation(path, method, one, common));
    }
  }
  for (const one of Object.values(document["x-pseudo-operations"] ?? {})) codesOf(one);
  const failed = schemas.CommandFailed?.properties;
  const results = (failed?.code?.enum ?? []).map(String);
  for (const [index, code] of results.entries())
    if (!errors.has(code)) errors.set(code, String(failed?.error?.enum?.[index]));
  const events = new Map(
    Object.entries(document.webhooks ?? {}).map(([name, { post }]) => {
      const whole = resolved(post.requestBody?.content["application/json"]?.schema ?? {});
      const frame = whole.oneOf?.[0] ? resolved(whole.oneOf[0]) : whole;
      const fields = [...fieldsOf(frame.properties?.data)];
      // Which errors it can have is told by their codes.
      const told =
        name === "command.result" ? fields.filter(([field]) => field !== "error" && field !== "code") : fields;
      return [name, new Map(told)];
    }),
  );
  return { operations, events, errors, results: new Set(results), resolved };
}
