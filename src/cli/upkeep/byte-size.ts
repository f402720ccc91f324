/** Numbers of bytes in words. Pure. */

const UNITS = ["KB", "MB", "GB", "TB"];

export function size(bytes: number): string {
  const step = Math.min(Math.max(Math.floor(Math.log2(bytes) / 10), 1), UNITS.length);
  const amount = bytes / 1024 ** step;
  return `${amount.toFixed(amount < 10 ? 1 : 0)} ${UNITS[step - 1]}`;
}
