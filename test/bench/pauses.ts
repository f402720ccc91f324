/**
 * How long a client waits at most: a thread of its own asks the graph for nothing but its type's name all the time, on a
 * socket of its own, since all of a process's fetches share a thread.
 */

const BODY = '{"query":"{ __typename }"}';
const QUESTION = `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

/** Asks the gateway without a pause; `longest` tells the longest wait since it was called last, in ms. */
export function watch(gateway: string) {
  const code = `
    let longest = 0, at = 0;
    onmessage = () => { postMessage(longest); longest = 0; };
    const ask = (socket) => { at = performance.now(); socket.write(${JSON.stringify(QUESTION)}); };
    const data = (socket, piece) => {
      if (!piece.toString().endsWith("}")) return;
      longest = Math.max(longest, performance.now() - at);
      ask(socket);
    };
    await Bun.connect({ hostname: "localhost", port: ${new URL(gateway).port}, socket: { open: ask, data } });`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  return {
    longest: () =>
      new Promise<number>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data as number);
        worker.postMessage("");
      }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}
