# syntax=docker/dockerfile:1
# One image for all three processes; the command selects api (the default), worker or slow-server.
#   docker build -t lastframe .
# There is no build step: Node runs TypeScript directly.

FROM node:24-slim AS packages
WORKDIR /lastframe
COPY package.json package-lock.json .npmrc ./
COPY shared/package.json shared/
COPY api/package.json api/
COPY worker/package.json worker/
COPY slow-server/package.json slow-server/
# A dashboard package may use the compiler, but works without it.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/typescript node_modules/@typescript

FROM node:24-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Lastframe" \
      org.opencontainers.image.description="The last frame of every slow camera, at once; each camera called at most once per interval" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /lastframe
COPY --from=packages /lastframe ./
COPY shared/src shared/src
COPY api/src api/src
COPY worker/src worker/src
COPY slow-server/src slow-server/src
COPY image image
# Numeric, so that Kubernetes can verify that it isn't root. The root filesystem may be read-only.
USER 1000:1000
EXPOSE 8088 8888 9088 9089
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s CMD ["node", "image/healthcheck.ts"]
ENTRYPOINT ["node", "image/main.ts"]
CMD ["api"]
