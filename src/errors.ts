/**
 * The closed table of codes: every refusal and every reason that bobbin gives to the outside has one of these.
 * Knows nothing of the doors; each door turns a BobbinError into its own form of answer once.
 */

/** code → [HTTP status, what it means]. The README's table is checked against this one. */
export const ERROR_TABLE = {
  INVALID_JSON: [400, "The body is not JSON."],
  INVALID_INPUT: [422, "A field is missing, of the wrong type or out of bounds."],
  SELF_REFERENCE: [422, "The URL leads back to this gateway."],
  UNSUPPORTED_MEDIA_TYPE: [415, "Writes are taken as application/json only."],
  BODY_TOO_LARGE: [413, "The body is over the size limit."],
  UNAUTHENTICATED: [401, "A write needs a valid bearer token."],
  FORBIDDEN: [403, "The token is for another service."],
  FORBIDDEN_ORIGIN: [403, "A web page of another origin may not write."],
  FORBIDDEN_HOST: [
    403,
    "The Host header is no host, or no loopback address although the listener is on loopback.",
  ],
  PREFLIGHT_REQUIRED: [403, "Form and multipart bodies need a header that forces a CORS preflight."],
  NOT_FOUND: [404, "There is nothing at this path."],
  METHOD_NOT_ALLOWED: [405, "This path does not take this method."],
  NOT_ACCEPTABLE: [406, "No media type that the client accepts can be answered with."],
  SERVICE_NOT_FOUND: [404, "No service has this name."],
  INSTANCE_NOT_FOUND: [404, "The service has no instance at this URL."],
  NAME_TAKEN: [409, "The name belongs to a plugin, to the core or to a remote service."],
  CONFLICT: [409, "The change does not fit the state that the service is in."],
  LIMIT_REACHED: [409, "A limit on the number of services or instances is reached."],
  NO_HEALTHY_INSTANCE: [503, "The service is known, but none of its instances is healthy."],
  REGISTRY_UNAVAILABLE: [503, "The registry's database does not take the write; it is not confirmed."],
  OVERLOADED: [503, "Too many writes or streams are waiting; try again."],
  INTERNAL: [500, "Something unforeseen happened; the cause is in the log."],

  GRAPHQL_REQUEST_INVALID: [400, "The HTTP request is not a GraphQL request."],
  GRAPHQL_PARSE_FAILED: [400, "The GraphQL document has a syntax error."],
  GRAPHQL_VALIDATION_FAILED: [400, "The GraphQL document does not fit the schema."],

  SERVICE_UNAVAILABLE: [503, "The service behind this field gets no requests at the moment."],
  SERVICE_TIMEOUT: [504, "The service behind this field did not answer in time."],
  SERVICE_OVERLOADED: [503, "Too many calls to the service behind this field are waiting."],
  INVALID_SERVICE_RESPONSE: [
    502,
    "The service behind this field answered with something that is not GraphQL.",
  ],
  FIELD_UNREACHABLE: [502, "No service can be asked for this field of this object."],
  LOOP_DETECTED: [508, "The request passed through too many gateways."],

  SCHEMA_UNREACHABLE: [502, "The service's schema could not be fetched."],
  SCHEMA_INVALID: [422, "The service's schema is not a valid GraphQL schema."],
  ROOT_FIELD_TAKEN: [409, "Another service owns this root field."],
  TYPE_CONFLICT: [409, "Another service has a different type of this name."],
  BREAKING_CHANGE: [409, "The new schema breaks clients, and waits until someone accepts it."],
  COMPOSITION_FAILED: [422, "The schema could not be merged into the graph."],

  PLUGIN_LOAD_FAILED: [422, "The plugin's code could not be bundled or threw while loading."],
  PLUGIN_INVALID: [422, "The plugin's definition or schema is wrong."],
  PLUGIN_CRASHED: [
    503,
    "The plugin's code ended or stopped answering; it is being restarted, or was stopped.",
  ],
  PLUGIN_NOT_FOUND: [404, "No plugin has this name."],
} as const satisfies Record<string, readonly [status: number, meaning: string]>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Where in somebody's code the trouble is. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** A refusal whose message may be shown to the caller. Its `cause` is for the log only. */
export class BobbinError extends Error {
  readonly code: ErrorCode;
  readonly place: Place | undefined;
  /** What was being done with a plugin. */
  readonly step: string | undefined;
  /** Of METHOD_NOT_ALLOWED: the methods that the path takes. */
  readonly allow: readonly string[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & {
      place?: Place | undefined;
      step?: string | undefined;
      allow?: readonly string[];
    },
  ) {
    super(message, options);
    this.name = "BobbinError";
    this.code = code;
    this.place = options?.place;
    this.step = options?.step;
    this.allow = options?.allow;
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return ERROR_TABLE[this.code][0];
  }
}

/** Any thrown value as a BobbinError; what is not one already becomes INTERNAL, its text kept as the cause. */
export function toBobbinError(thrown: unknown): BobbinError {
  if (thrown instanceof BobbinError) return thrown;
  return new BobbinError("INTERNAL", ERROR_TABLE.INTERNAL[1], { cause: thrown });
}

/** The text of any thrown value, for logs and reasons. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
