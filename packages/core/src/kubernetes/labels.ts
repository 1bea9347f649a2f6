/** The label that names the step a TestRun was made for. */
export const LABEL_STEP = "tailrace.dev/step";
