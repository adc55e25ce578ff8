const DOT_OR_EMPTY_SEGMENT = /\/(?:\/|\.\.?(?:\/|$))/;
const BACKSLASH_OR_PARAMETER = /[\\;]/;
const ENCODED_SLASH_BACKSLASH_DOT_NUL = /%(?:2f|5c|2e|00)/i;

/** Whether servers may disagree about what a path (without query) names. */
export function isAmbiguousPath(path: string): boolean {
  return [DOT_OR_EMPTY_SEGMENT, BACKSLASH_OR_PARAMETER, ENCODED_SLASH_BACKSLASH_DOT_NUL].some((sign) =>
    sign.test(path),
  );
}
