// Components that are drawn again only when one of their properties is another one.
import { Component, type ComponentChildren, type FunctionComponent } from 'preact'

/** For rows of long lists: scrolling draws only those that come into sight. */
export function pure<P extends object>(draw: (props: P) => ComponentChildren): FunctionComponent<P> {
  class Pure extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now = this.props as P
      for (const key in next) if (!Object.is(next[key], now[key])) return true
      return false
    }
    override render(): ComponentChildren {
      return draw(this.props as P)
    }
  }
  return Pure as unknown as FunctionComponent<P>
}
