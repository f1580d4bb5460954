import { OrderfoldError } from '../core/errors.ts';
import type { FastCheck } from './arbitraries.ts';

/** fast-check, which is the user's. @throws OrderfoldError `CONFIG` when it is not installed */
export const loadFastCheck = async (): Promise<FastCheck> => {
  try {
    return await import('fast-check');
  } catch (cause) {
    throw new OrderfoldError('CONFIG', 'this needs fast-check: npm install --save-dev fast-check', { cause });
  }
};
