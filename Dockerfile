# Two stages: one that makes the executable, and one that holds it and nothing that could be used against it: no shell, no
# package manager, no interpreter but our own.
FROM oven/bun:1.4.5-debian AS build
# bun as PID 1 reaps no orphans; the programs of stdio connections would leave zombies.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production
COPY . .
RUN bun run build && mkdir -m 0700 /build/empty

# "cc" rather than "base": the password hash is native code and needs libgcc.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Toolpass" \
      org.opencontainers.image.description="Single sign-on for MCP that you host yourself." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/bin/tini-static /usr/bin/tini
COPY --from=build /build/dist/toolpass /usr/bin/toolpass
COPY --from=build /build/LICENSE /usr/share/doc/toolpass/LICENSE
# The user of the base image, by number, so that an orchestrator can see that it is not root. A new volume takes this owner.
COPY --from=build --chown=65532:65532 /build/empty /data
USER 65532:65532
# A toolpass.yaml in the volume is found because it is the working folder.
WORKDIR /data
VOLUME /data
ENV TOOLPASS_HOST=0.0.0.0 \
    TOOLPASS_DATA_DIR=/data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/bin/toolpass", "healthcheck"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/bin/toolpass"]
CMD ["serve"]
