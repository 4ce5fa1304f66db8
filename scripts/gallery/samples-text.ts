/** Text that should break no page. */
export const EVIL = '<script>alert(1)</script>'
export const LONG = 'averyveryverylongnamewithoutanyspaceinit_that_goes_on_and_on_and_never_ends_for_no_good_reason'
