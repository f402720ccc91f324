/**
 * The connections to one origin, and the calls that wait for one. The connection used last is used next, so that those
 * that are not needed any more grow old. Knows when a connection serves whom; nothing of HTTP.
 */
import { BobbinError } from "../../../errors.ts";
import { type Call, outOfTime } from "./call.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { Origin } from "./target.ts";

/** Attempts to connect that outlive their call are among them; calls are bounded more tightly before they come here. */
const MOST_CONNECTIONS = 256;
const MOST_WAITING = 1_024;

export class OriginPool implements ConnectionOwner {
  readonly #connections = new Set<Connection>();
  /** The one used last is last. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Call>();

  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  get isUnused(): boolean {
    return this.#connections.size === 0 && this.#waiting.size === 0;
  }

  start(call: Call, now: number): void {
    const connection = this.#idleConnection(now);
    if (connection) connection.send(call);
    else this.#connect(call);
  }

  /** Ends a call for its caller, wherever it is. */
  giveUp(call: Call, error: BobbinError): void {
    if (this.#waiting.delete(call)) call.reject(error);
    for (const connection of this.#connections) if (connection.call === call) connection.fail(error);
  }

  /** Ends what is over its time: calls, and connections that nobody used for a while. */
  sweep(now: number): void {
    for (const connection of this.#connections) {
      if (connection.call && connection.call.deadline <= now) connection.fail(outOfTime());
    }
    for (const call of this.#waiting) if (call.deadline <= now) this.giveUp(call, outOfTime());
    for (const connection of this.#idle.filter(({ idleUntil }) => idleUntil <= now)) connection.close();
  }

  close(error: BobbinError): void {
    for (const call of this.#waiting) this.giveUp(call, error);
    for (const connection of this.#connections) {
      connection.fail(error);
      connection.close();
    }
  }

  ready(connection: Connection): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      connection.send(next);
    } else this.#idle.push(connection);
  }

  gone(connection: Connection, again: Call | undefined): void {
    this.#connections.delete(connection);
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    if (again) {
      // The other kept ones may be closed as well.
      again.isSecondTry = true;
      this.#connect(again);
    }
    const [next] = this.#waiting;
    if (next && this.#connections.size < MOST_CONNECTIONS) {
      this.#waiting.delete(next);
      this.#connect(next);
    }
  }

  #idleConnection(now: number): Connection | undefined {
    let connection = this.#idle.pop();
    // The sweep may be late where the thread was busy.
    while (connection && connection.idleUntil <= now) {
      connection.close();
      connection = this.#idle.pop();
    }
    return connection;
  }

  #connect(call: Call): void {
    if (this.#connections.size < MOST_CONNECTIONS) {
      this.#connections.add(new Connection(this.#origin, this, call));
    } else if (this.#waiting.size < MOST_WAITING) this.#waiting.add(call);
    else
      call.reject(new BobbinError("SERVICE_OVERLOADED", `${MOST_WAITING} calls to the service are waiting.`));
  }
}
