import { describe, it } from 'vitest';
import { system } from '../../src/system.ts';
import { transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { describeServer } from '../support/describe-server.ts';
import { rabbitmqSubject } from './rabbitmq-subject.ts';

describeServer('TEST_AMQP_URL', 'RabbitMQ', (url) => {
  transportSuite({ describe, it }, 'RabbitMQ', async () => rabbitmqSubject(system, url), {
    deduplicates: 'it keeps no ids',
    replays: 'its queues hold what comes after they were made',
    restart: 'the server is shared',
  });
});
