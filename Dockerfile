# Frontdesk as an image: docker build -t frontdesk .
# Configuration in /etc/frontdesk/config.json, state in /var/lib/frontdesk. See docs/guide/operations.md.

# The package, as it would be published.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY dashboard/package.json dashboard/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && mkdir /pack && npm pack ./dist --pack-destination /pack

# The package and what it needs at run time, and nothing to build with.
FROM node:24-slim AS install
COPY --from=build /pack /pack
RUN npm install --global --prefix /opt/frontdesk --omit=dev --omit=optional --ignore-scripts /pack/*.tgz

FROM node:24-slim
LABEL org.opencontainers.image.title="Frontdesk" \
      org.opencontainers.image.description="A reverse proxy and load balancer in TypeScript" \
      org.opencontainers.image.licenses="MIT"
# No package manager where nothing is installed any more. The number of the user is one that Kubernetes takes for no root.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && groupadd --gid 10001 frontdesk && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin frontdesk \
 && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/frontdesk \
 && install --directory --mode=0755 /etc/frontdesk \
 && ln -s /opt/frontdesk/bin/frontdesk /usr/local/bin/frontdesk
COPY --from=install /opt/frontdesk /opt/frontdesk
COPY deploy/docker/health.mjs /opt/frontdesk/health.mjs
ENV NODE_ENV=production
WORKDIR /var/lib/frontdesk
VOLUME /var/lib/frontdesk
USER 10001:10001
EXPOSE 8080 8081 8443
# TERM drains. Frontdesk handles signals itself, as process 1 too: no shell and no init stands before it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["node", "/opt/frontdesk/health.mjs"]
ENTRYPOINT ["node", "/opt/frontdesk/lib/node_modules/frontdesk/bin/frontdesk.js"]
CMD ["run", "-c", "/etc/frontdesk/config.json"]
