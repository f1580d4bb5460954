import type fastCheck from 'fast-check';
import { OrderfoldError } from '../../core/errors.ts';

/** fast-check, which is the user's. @throws OrderfoldError `CONFIG` when it is not installed */
export const loadFastCheck = async (): Promise<typeof fastCheck> => {
  try {
    return (await import('fast-check')).default;
  } catch (cause) {
    throw new OrderfoldError('CONFIG', 'simulate makes failures smaller with fast-check: npm install --save-dev fast-check', { cause });
  }
};
