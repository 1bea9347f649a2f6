/** All that PostgreSQL's programs get of the environment: no PG* variable or locale of this process reaches them. */
export const serverEnvironment: Readonly<Record<string, string>> = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
