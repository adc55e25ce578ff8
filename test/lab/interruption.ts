/** Fires on Ctrl-C and SIGTERM, and when the program that started this one is gone, however it went. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      interrupted.abort(new Error(`stopped by ${signal}`));
    });
  process.on("disconnect", () => {
    interrupted.abort(new Error("whoever started this is gone"));
  });
  // Waiting for that is no reason to stay.
  process.channel?.unref();
  return interrupted.signal;
}
