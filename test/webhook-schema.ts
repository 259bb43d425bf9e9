/** The schemas of the webhooks, as the published document has them, closed: what it does not name is a fault here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";

interface Schema {
  readonly $ref: string;
  readonly properties: { readonly data: { readonly $ref: string } };
}
interface Webhook {
  readonly post: {
    readonly requestBody: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  };
}
interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly webhooks: Readonly<Record<string, Webhook>>;
}

/** Compiled tests lie in dist/test. */
const document: Document = JSON.parse(readFileSync(join(__dirname, "../../generated/openapi.json"), "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: "voicegate", components: document.components });

const compiled = new Map(Object.entries(document.webhooks).map(([event, webhook]) => [event, compile(webhook)]));

function compile({ post }: Webhook): ValidateFunction {
  const frame = post.requestBody.content["application/json"].schema.$ref;
  const data = document.components.schemas[frame.split("/").at(-1) ?? ""]?.properties.data.$ref;
  if (!data) throw new Error(`${frame} has no data`);
  const closed = (schema: object) => ({ ...schema, unevaluatedProperties: false });
  return ajv.compile(closed({ $ref: `voicegate${frame}`, properties: { data: closed({ $ref: `voicegate${data}` }) } }));
}

/** What is wrong with a webhook's body; null when the spec declares it like this. */
export function faultOf(body: { readonly event: string }): string | null {
  const validate = compiled.get(body.event);
  if (!validate) return "the spec has no such webhook";
  return validate(body) ? null : ajv.errorsText(validate.errors);
}
