/** The logger every part is handed. pino satisfies it. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

/** For tests and for parts that have nothing to say. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
