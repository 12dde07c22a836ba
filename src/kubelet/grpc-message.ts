/** Protocol Buffers messages, described by data: no generated code, and no parser of .proto files at run time. */
import protobuf from "protobufjs/light.js";

/** Between objects and bytes. Both throw on what does not fit. */
export interface MessageCodec<T> {
  readonly encode: (message: T) => Buffer;
  /** Fields that were not sent have their default: `""`, 0, false, `[]`, `{}`, and null for a message. */
  readonly decode: (bytes: Uint8Array) => T;
}

/** How one method is called. `path` is `/package.Service/Method`. */
export interface GrpcMethod<Request, Response> {
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** A field: its number, and its type as .proto files write it. */
interface FieldShape {
  readonly id: number;
  readonly type: string;
  readonly rule?: "repeated";
  /** Type of the keys; makes it a map. */
  readonly keyType?: string;
}

export type MessageShapes = Readonly<
  Record<string, { readonly fields: Readonly<Record<string, FieldShape>> } | { readonly values: Readonly<Record<string, number>> }>
>;

/**
 * Reads the messages of one package. Whoever asks for a codec says which type its objects have; the shapes must
 * match. Enumerations are strings, 64-bit numbers are numbers.
 */
export function readMessages(shapes: MessageShapes): <T extends object>(name: string) => MessageCodec<T> {
  const root = protobuf.Root.fromJSON({ nested: structuredClone(shapes) as Record<string, protobuf.AnyNestedObject> });
  return <T extends object>(name: string): MessageCodec<T> => {
    const type = root.lookupType(name);
    return {
      encode: (message) => Buffer.from(type.encode(type.fromObject(message)).finish()),
      decode: (bytes) =>
        type.toObject(type.decode(bytes), { defaults: true, arrays: true, objects: true, longs: Number, enums: String }) as T,
    };
  };
}
