// Loaded first into a process that is to come to harm when its parent says so.
import './database.ts';
import './calls.ts';
import './clock.ts';
