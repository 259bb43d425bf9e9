/** Step 8 of the checks: parameters, then the body, with the errors in the order that the document declares. */
import { readFileSync } from "node:fs";
import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { OpenAPIBackend } from "openapi-backend";
import { operations } from "../../generated/operations";
import type { OperationId } from "../contract";
import type { JsonObject } from "./body";
import { documentPath } from "./document";
import { type Fault, faultOf } from "./envelope";
import { isCheapExpression } from "./expression";

/** As much of a JSON Schema as is looked at here. */
interface Schema {
  readonly type?: unknown;
  /** Name of the field whose value this one has when it is left out. */
  readonly "x-default-from"?: string;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Error code of a field by the keyword that failed. */
type FieldErrors = Readonly<Record<string, Readonly<Record<string, string>>>>;

const scheme = /^https?:\/\//i;

/** One for all operations: the same formats and words, and the first failure is enough. */
function validator(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: false,
    verbose: true,
    strict: true,
    strictTypes: true,
    allowUnionTypes: true,
    ownProperties: true,
    useDefaults: true,
    $data: true,
    // The document's schemas are held against that of schemas by the suite: at each start it would be 0.1 s.
    validateSchema: false,
  });
  addFormats(ajv);
  ajv.addFormat("http-url", { type: "string", validate: (value) => scheme.test(value) && URL.canParse(value) });
  ajv.addFormat("re2", { type: "string", validate: isCheapExpression });
  ajv.addVocabulary(["x-error", "x-rules", "x-default-from", "example"]);
  return ajv;
}

/** Fields that one after the other decide the answer to a request that has failed as a whole. */
class Fields {
  /** Compiled when the first request fails: until then nobody asks which field it is. */
  private each: readonly (readonly [string, ValidateFunction])[] | null = null;
  private readonly integers: readonly string[];
  private readonly copied: readonly (readonly [field: string, from: string])[];

  constructor(
    private readonly ajv: Ajv2020,
    private readonly schema: Schema,
    private readonly codes: FieldErrors,
  ) {
    const fields = Object.entries(schema.properties ?? {});
    this.integers = fields.flatMap(([name, { type }]) => (type === "integer" ? [name] : []));
    this.copied = fields.flatMap(([name, { "x-default-from": from }]) => (from === undefined ? [] : [[name, from]]));
  }

  /** Turns plain decimal digits into the integers that they are; any other text stays, and is no integer. */
  count(values: JsonObject): void {
    for (const name of this.integers) {
      const text = values[name];
      if (typeof text === "string" && /^[0-9]+$/.test(text)) values[name] = Number(text);
    }
  }

  /** Gives fields that were left out the value of another field. */
  copy(values: JsonObject): void {
    for (const [name, from] of this.copied) if (!Object.hasOwn(values, name)) values[name] = values[from];
  }

  /** Missing ones in the order of `required`, unknown ones, then each in the order of `properties`. */
  first(values: JsonObject): Fault | null {
    const { required = [], properties = {}, additionalProperties } = this.schema;
    for (const name of required) if (!Object.hasOwn(values, name)) return this.fault(name, "required");
    if (additionalProperties === false)
      for (const field of Object.keys(values))
        if (!Object.hasOwn(properties, field)) return faultOf("unknown_field", { field });
    this.each ??= this.compiled();
    for (const [name, valid] of this.each) {
      if (valid(values)) continue;
      const error = valid.errors?.[0];
      return this.fault(name, error?.instancePath === `/${name}` ? error.keyword : "default");
    }
    return null;
  }

  /** Each in an object of its own, because a default is only allowed there. */
  private compiled(): readonly (readonly [string, ValidateFunction])[] {
    const compile = (name: string, field: Schema) =>
      this.ajv.compile({ type: "object", properties: { [name]: field } });
    return Object.entries(this.schema.properties ?? {}).map(([name, field]) => [name, compile(name, field)]);
  }

  private fault(name: string, keyword: string): Fault {
    const codes = this.codes[name];
    const code = codes?.[keyword] ?? codes?.default;
    if (code === undefined) throw new Error(`the document declares no error for "${name}"`);
    return faultOf(code);
  }
}

/** Validators of one operation. */
interface Checks {
  readonly parameters: ValidateFunction;
  readonly body: ValidateFunction | null;
  readonly rules: readonly { readonly error: string; readonly valid: ValidateFunction }[];
}

/** What one operation's parameters and body are checked with. */
export class Validation {
  /** False: nothing that this operation is called with can be wrong. */
  readonly checksParameters: boolean;
  #checks: Checks | null = null;

  /**
   * @param compile is called once, with the first request unless {@link warm} came before
   * @param queries parameters of the query; of one that has no error any text is taken, and of several the first
   * @param headers fields of the header: any value is taken
   */
  constructor(
    private readonly compile: () => Checks,
    private readonly path: Fields,
    private readonly query: Fields,
    private readonly body: Fields | null,
    pathErrors: FieldErrors,
    readonly queries: readonly { readonly name: string; readonly checked: boolean }[],
    readonly headers: readonly string[],
  ) {
    this.checksParameters = Object.keys(pathErrors).length + queries.length > 0;
  }

  /** Compiles it now: some milliseconds that no request has to wait for. */
  warm(): Checks {
    this.#checks ??= this.compile();
    return this.#checks;
  }

  /** Fills in defaults and turns the numbers of the query into numbers. */
  parametersFault(path: JsonObject, query: JsonObject): Fault | null {
    this.query.count(query);
    if (this.warm().parameters({ path, query, header: {}, cookie: {} })) return null;
    const first = this.path.first(path) ?? this.query.first(query);
    if (first === null) throw new Error("parameters fail as a whole, but none of them alone");
    return first;
  }

  /** Fills in defaults. */
  bodyFault(body: JsonObject): Fault | null {
    if (this.body === null) return null;
    const { body: valid, rules } = this.warm();
    if (valid && !valid({ requestBody: body })) {
      const first = this.body.first(body);
      if (first === null) throw new Error("a body fails as a whole, but none of its fields alone");
      return first;
    }
    this.body.copy(body);
    for (const { error, valid } of rules) if (!valid(body)) return faultOf(error);
    return null;
  }
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

/** As much of an operation as is looked at here, references resolved. */
interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
}

function objectOf(parameters: readonly Parameter[], place: string): Schema {
  const here = parameters.filter((parameter) => parameter.in === place);
  return {
    required: here.filter((parameter) => parameter.required).map((parameter) => parameter.name),
    properties: Object.fromEntries(here.map((parameter) => [parameter.name, parameter.schema])),
  };
}

const names = ({ parameters }: Operation, place: string): string[] =>
  parameters.flatMap((parameter) => (parameter.in === place ? [parameter.name] : []));

let compiled: Promise<ReadonlyMap<OperationId, Validation>> | null = null;

/** What openapi-backend makes of the document, for every operation; read once per process, compiled when it is used. */
export function compileValidations(): Promise<ReadonlyMap<OperationId, Validation>> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<ReadonlyMap<OperationId, Validation>> {
  const ajv = validator();
  const backend = new OpenAPIBackend({
    // Read here: from a file it resolves references in a way that takes five times as long.
    definition: JSON.parse(readFileSync(documentPath, "utf8")),
    // Its check of the document knows OpenAPI 3.0 only; its routing and its pipeline are not used.
    quick: true,
    customizeAjv: () => ajv,
  });
  await backend.init();
  const validations = new Map<OperationId, Validation>();
  for (const id of Object.keys(operations) as OperationId[]) {
    // Its types leave references open, which it has resolved.
    const operation = backend.router.getOperation(id) as unknown as Operation;
    const schema = operation.requestBody?.content["application/json"].schema;
    const { fields, rules } = operations[id];
    const checks = (): Checks => {
      const valid = backend.validator.getRequestValidatorsForOperation(id) ?? [];
      const parameters = valid.at(-1);
      if (!parameters || (valid.length === 2) !== (schema !== undefined)) throw new Error(`no validator for ${id}`);
      const body = valid.length === 2 ? (valid[0] ?? null) : null;
      return { parameters, body, rules: rules.map((rule) => ({ error: rule.error, valid: ajv.compile(rule.schema) })) };
    };
    const validation = new Validation(
      checks,
      new Fields(ajv, objectOf(operation.parameters, "path"), fields.path),
      new Fields(ajv, objectOf(operation.parameters, "query"), fields.query),
      schema ? new Fields(ajv, schema, fields.body) : null,
      fields.path,
      names(operation, "query").map((name) => ({ name, checked: Object.hasOwn(fields.query, name) })),
      names(operation, "header"),
    );
    validations.set(id, validation);
  }
  return validations;
}

/** Compiles the validators of all operations, one after the other, and lets requests go between them. */
export async function warmValidations(): Promise<void> {
  for (const validation of (await compileValidations()).values()) {
    validation.warm();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
