/** Tells the supervisor, if there is one, that this process is ready; one that is gone meanwhile is no fault of ours. */
export const tellParent = (message: { readonly ready: true; readonly port?: number }): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};
