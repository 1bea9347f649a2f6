export interface OpenModeHeaders {
  host?: string | undefined;
  origin?: string | undefined;
  "sec-fetch-site"?: string | string[] | undefined;
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Without authentication only programs and pages of this machine may ask. A page of another site that the user's
 * browser shows is kept out by three rules: the Host must be a loopback one (a name that an attacker points at
 * 127.0.0.1 is not), an Origin must be this server's own, and `Sec-Fetch-Site` must not say otherwise.
 *
 * @returns why the request is refused, or null
 */
export function openModeRefusal(headers: OpenModeHeaders): string | null {
  const host = headers.host ?? "";
  if (!LOOPBACK_HOST.test(host)) {
    return "without authentication only requests to a loopback Host (localhost, 127.0.0.1 or [::1]) are answered";
  }
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return "without authentication only same-origin requests are answered; the Origin header names another";
  }
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return "without authentication only same-origin requests are answered; Sec-Fetch-Site says otherwise";
  }
  return null;
}
