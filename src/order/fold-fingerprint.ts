/**
 * Names the code that folds. Stored with every folded state; a state with another name is folded afresh from its events.
 * A test derives it from the text of the folding files, and prints the new one when they change.
 */
export const FOLD_FINGERPRINT = 'fold-b877190afdda';
