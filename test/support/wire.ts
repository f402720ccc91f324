/** HTTP as bytes on a connection, for what fetch would not send. */
import { connect } from "node:net";

/** Sends `text` to the host and port of `url`; returns what comes back until the other side has said `enough`. */
export function rawRequest(
  url: string,
  text: string,
  enough = (answer: string) => answer.includes("\r\n\r\n"),
): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += chunk;
      if (enough(answer)) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
