import { createAuthRefresh } from 'axios-auth-refresh';
import { stormOf } from '../storm-of.js';

/** As its README says: the token is kept by the caller, written by a request interceptor, and refreshed by another instance. */
export function withAuthRefresh(options) {
  return stormOf((client, { expired, refresh }) => {
    let token = expired;
    client.interceptors.request.use((config) => {
      config.headers.Authorization = `Bearer ${token}`;
      return config;
    });
    const refreshAuthLogic = async (failedRequest) => {
      token = await refresh();
      failedRequest.response.config.headers.Authorization = `Bearer ${token}`;
    };
    createAuthRefresh(client, refreshAuthLogic, options);
  });
}

export const setup = withAuthRefresh({});
