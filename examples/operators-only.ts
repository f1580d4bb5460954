import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { problem } from './problems.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address = ''): boolean => isIP(address) !== 0 && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets operators pass: with a token by the token alone, without one only from this machine, as its socket says. */
export const operatorsOnly = (adminToken: string | undefined) => {
  const expected = adminToken === undefined ? undefined : digest(`Bearer ${adminToken}`);
  return async ({ headers, socket, hostname }: FastifyRequest): Promise<void> => {
    if (expected !== undefined) {
      const given = (headers.authorization ?? '').replace(/^bearer +/i, 'Bearer ');
      if (!timingSafeEqual(digest(given), expected)) throw problem(401, 'expected Authorization: Bearer with the ADMIN_TOKEN');
      return;
    }
    if (!isLoopback(socket.remoteAddress)) throw problem(403, 'only from this machine, as long as no ADMIN_TOKEN is set');
    // A page of somebody else's may have its name point here; a name that is no address and not localhost is such a one.
    const name = hostname.replace(/^\[|\]$/g, '');
    if (name !== 'localhost' && isIP(name) === 0)
      throw problem(403, 'only under an address or as localhost, as long as no ADMIN_TOKEN is set');
  };
};
