/** How long a client waits at most: a thread of its own asks one URL all the time. */

/** Asks the URL without a pause; `longest` tells the longest wait since it was called last, in ms. */
export function watch(url: string) {
  const code = `
    let longest = 0, asking = true;
    onmessage = () => { postMessage(longest); longest = 0; };
    for (; asking;) { const at = performance.now(); await (await fetch(${JSON.stringify(url)})).text(); longest = Math.max(longest, performance.now() - at); }`;
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
