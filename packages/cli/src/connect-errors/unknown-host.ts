import { shellWord } from '../output/shell-word.ts'
import { t } from '../output/translate.ts'
import type { Address, Advice } from './advice.ts'
import { findComposeHost } from './compose-host.ts'

/** Explains a host name that does not exist here: it is often one that exists only in another network. */
export function explainUnknownHost(address: Address): Advice {
  return explainComposeHost(address) ?? explainPrivateName(address) ?? explainMissingName(address)
}

function explainComposeHost({ host, port, folder }: Address): Advice | undefined {
  const compose = findComposeHost(folder, host)
  if (!compose) return undefined
  const { file, service, app } = compose
  const published = compose.published.get(port) ?? [...compose.published.values()][0]
  return {
    meaning: t`${host} is the service ${service} of ${file}. Its name exists only inside Compose's network, in the containers of that project, not on this machine.`,
    remedy:
      published === undefined
        ? t`Outside of Compose, publish its port (ports: ["127.0.0.1:${port}:${port}"] in the service ${service}) and use localhost:${port} as the address.`
        : t`Outside of Compose, use localhost:${published}, the port that ${file} publishes, instead of ${host}:${port}.`,
    now: [
      {
        text:
          app === undefined
            ? t`Or run the command in a container of the project:`
            : t`Or run the command in the container of ${app}:`,
        run: `docker compose exec ${shellWord(app ?? 'app')} npx poolguard doctor`,
      },
    ],
  }
}

/** Names that a platform resolves only in its own network, and where the platform documents the public name. */
const PRIVATE_NAMES: readonly { readonly name: RegExp; readonly explain: (address: Address) => Advice }[] = [
  {
    name: /\.svc(?:\.cluster\.local)?$/,
    explain: ({ host, port }) => ({
      meaning: t`${host} is a Service of Kubernetes. Its name exists only inside the cluster.`,
      remedy: t`From outside of the cluster, forward the port and use localhost:${port}, or run the command in a pod.`,
      now: [
        {
          text: t`Forward the port to this machine:`,
          run: `kubectl port-forward -n ${shellWord(host.split('.')[1] ?? 'default')} ${shellWord(`service/${host.split('.')[0]}`)} ${port}`,
        },
      ],
    }),
  },
  {
    name: /^host\.docker\.internal$/,
    explain: ({ port }) => ({
      meaning: t`host.docker.internal exists only inside containers; on Linux, only with extra_hosts: ["host.docker.internal:host-gateway"].`,
      remedy: t`Outside of a container, use localhost:${port}.`,
    }),
  },
  {
    name: /\.internal$|\.flycast$|^dpg-[\w-]+-a$/,
    explain: ({ host }) => ({
      meaning: t`${host} is a private name of the hosting platform. It exists only in that platform's network.`,
      remedy: t`From here, use the public or external URL of the database that the platform's dashboard shows, or the platform's proxy command.`,
    }),
  },
]

function explainPrivateName(address: Address): Advice | undefined {
  return PRIVATE_NAMES.find(({ name }) => name.test(address.host))?.explain(address)
}

function explainMissingName({ host }: Address): Advice {
  if (!host.includes('.')) {
    return {
      meaning: t`The name ${host} does not exist on this machine. A name without a dot is usually that of a service in Docker Compose or Kubernetes, which exists only in their networks.`,
      remedy: t`Outside of that network, use localhost and the published port. In it, check the service's name, and that both services share a network.`,
    }
  }
  return {
    meaning: t`The name ${host} does not exist, or the name server does not answer.`,
    remedy: t`Check the spelling of the host in the URL, that the database still exists (paused and deleted projects lose their name), and that DNS works here. A special character in the password that is not percent-encoded also moves the host: @ : / # % must be.`,
  }
}
